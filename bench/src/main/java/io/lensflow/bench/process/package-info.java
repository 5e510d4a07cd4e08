/** Other JVMs, and what memory a process holds. */
package io.lensflow.bench.process;
