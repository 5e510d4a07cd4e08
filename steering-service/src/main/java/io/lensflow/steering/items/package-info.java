/**
 * Contrastive data: reading it, choosing items, rendering and tokenising their two texts, and
 * finding the position at which the texts part. Meaning: a vector is built from, and judged by,
 * pairs of texts that share a prompt and differ in the answer.
 */
package io.lensflow.steering.items;
