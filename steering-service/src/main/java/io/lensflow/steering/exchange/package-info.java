/**
 * Vectors as files of other tools: safetensors, and control vectors in GGUF. Formats only; nothing
 * here knows a network.
 */
package io.lensflow.steering.exchange;
