/** What the machine could do at best, and how near the engine's steps come to it. */
package io.lensflow.bench.limit;
