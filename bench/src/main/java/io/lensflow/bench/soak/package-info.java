/**
 * The soak test: the whole system as processes, killed, paused and restarted at seeded moments
 * under a seeded stream of requests, and a checker in Python that accounts for every request and
 * row.
 */
package io.lensflow.bench.soak;
