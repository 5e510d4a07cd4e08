/**
 * The one writer of the steering topics: who it is, how it takes over from one that is paused or
 * dead, and how changes are written once.
 */
package io.lensflow.steering.writer;
