/**
 * Deployment-wide rules, which requests get which vectors: their book, their checks, and what a
 * change of one writes. Nothing here knows a network.
 */
package io.lensflow.steering.policy;
