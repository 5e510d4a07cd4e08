/**
 * Checkpoint folders as Hugging Face lays them out: {@code config.json}, safetensors files and
 * their index. Nothing is unpickled, and nothing that a file says about itself is believed before
 * it is checked.
 */
package io.lensflow.engine.checkpoint;
