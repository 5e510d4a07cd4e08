/** Figures, what they are held to, and how they are shown and kept. */
package io.lensflow.bench.figure;
