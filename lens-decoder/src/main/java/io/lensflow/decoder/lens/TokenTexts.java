package io.lensflow.decoder.lens;

import java.util.function.IntFunction;

/**
 * Text of single tokens, each asked of the tokenizer once. Not thread-safe: the loop owns it.
 * Memory: one string per token that was ever shown, at most V.
 */
public final class TokenTexts {
  private final IntFunction<String> decode;
  private final String[] texts;

  /**
   * @param vocabularySize V
   * @param decode text of an id in 0 … V−1
   */
  public TokenTexts(int vocabularySize, IntFunction<String> decode) {
    this.decode = decode;
    texts = new String[vocabularySize];
  }

  /** Text of a token, 0 ≤ id &lt; V. */
  public String of(int id) {
    String text = texts[id];
    if (text == null) {
      text = decode.apply(id);
      texts[id] = text;
    }
    return text;
  }
}
