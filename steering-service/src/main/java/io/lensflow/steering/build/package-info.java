/**
 * Vectors from contrastive data: rows of both answers of every item, captured at the answer, and
 * what the methods make of them.
 */
package io.lensflow.steering.build;
