/**
 * Where a model comes from: a folder, or a hub id that is fetched over HTTPS into the cache layout
 * that {@code huggingface_hub} reads and writes.
 */
package io.lensflow.hub;
