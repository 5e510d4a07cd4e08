/**
 * Setting rows aside. A capture is a copy, not a computation: kernels copy rows to a stage as they
 * pass, and a step hands every sequence its own.
 */
package io.lensflow.engine.capture;
