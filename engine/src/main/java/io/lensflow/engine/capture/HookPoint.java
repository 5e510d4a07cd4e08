package io.lensflow.engine.capture;

import java.util.Locale;

/**
 * A named place in a pre-norm decoder block where a tensor of D values per row can be captured or
 * steered.
 *
 * <p>Block {@code i} computes {@code x_i → RMSNorm → attention → add → RMSNorm → MLP → add →
 * x_{i+1}}. {@link #RESIDUAL_POST} of layer {@code i} is {@code hidden_states[i + 1]} of Hugging
 * Face transformers, except that at the last layer it is taken <em>before</em> the final norm.
 */
public enum HookPoint {
  /** {@code x_i}; for layer 0 the embeddings. */
  RESIDUAL_PRE,
  /** Output of the input RMSNorm: the default site of steering. */
  ATTENTION_INPUT,
  /** After {@code o_proj} and its all-reduce, before the add. */
  ATTENTION_OUTPUT,
  /** {@code x_i} + attention output. */
  RESIDUAL_MID,
  /** Output of the post-attention RMSNorm. */
  MLP_INPUT,
  /** After {@code down_proj} and its all-reduce, before the add. */
  MLP_OUTPUT,
  /** {@code x_{i+1}}, before the final norm at the last layer too: the default of capture. */
  RESIDUAL_POST;

  /** The name in files and on the command line, such as {@code residual_post}. */
  public String fileName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
