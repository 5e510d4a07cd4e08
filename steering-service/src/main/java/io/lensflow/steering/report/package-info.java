/**
 * What an evaluation found, for people: a table for terminals, a self-contained page, pictures. All
 * of it is made of {@link io.lensflow.steering.evaluate.Evaluation} alone.
 */
package io.lensflow.steering.report;
