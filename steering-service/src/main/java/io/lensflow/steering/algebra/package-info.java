/** Computing with vectors that are published: sums, orthogonal parts, cosines. No network here. */
package io.lensflow.steering.algebra;
