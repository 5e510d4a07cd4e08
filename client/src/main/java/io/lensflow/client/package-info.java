/**
 * The Java client of Lensflow: {@link io.lensflow.client.LensflowClient} sends prompts, {@link
 * io.lensflow.client.ModelDirectory} knows which models are served now, and {@link
 * io.lensflow.client.follow} reads what comes back, live or settled.
 */
package io.lensflow.client;
