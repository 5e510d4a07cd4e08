package io.lensflow.text;

import java.util.Arrays;
import java.util.function.Function;

/**
 * Turns a stream of token ids into text that never holds half a character, and that joins to
 * exactly the decoded whole, special tokens left out. Not thread-safe: one per stream.
 *
 * <p>How: what a token adds depends on those before it (characters span tokens, a first token may
 * lose its space), but only on the last few. So a window of ids is decoded with and without the new
 * one, and the difference is emitted, less what later tokens may still change:
 *
 * <ul>
 *   <li>a last replacement character, where the decoder joins bytes: it may be the first bytes of a
 *       character. All before it stands, since an incomplete character is one replacement
 *       character;
 *   <li>a run of byte tokens, where the decoder falls back to them: it is text only if the whole
 *       run is UTF-8, so nothing of it is known before its end.
 * </ul>
 *
 * <p>The window has at most {@link #WINDOW} ids besides a run of byte tokens, so the cost of a
 * token does not depend on how many came before.
 */
public final class StreamingDetokenizer {
  static final int WINDOW = 16;

  /**
   * What stays when the window is full. Any four bytes tell where characters begin in UTF-8, and
   * every token that is not special has one at least.
   */
  private static final int CONTEXT = 4;

  private static final String REPLACEMENT = "\uFFFD";

  private final Function<int[], String> decoder;
  private final TokenKinds kinds;
  private int[] window = new int[2 * WINDOW];
  private int size;
  private int held;
  private String text = "";

  /**
   * @param decoder text of ids, special tokens left out
   * @param kinds what the ids are
   */
  StreamingDetokenizer(Function<int[], String> decoder, TokenKinds kinds) {
    this.decoder = decoder;
    this.kinds = kinds;
  }

  /** The text that this token completes; empty while a character is still incomplete. */
  public String append(int id) {
    if (kinds.isSpecial(id)) {
      return "";
    }
    if (size == window.length) {
      window = Arrays.copyOf(window, 2 * size);
    }
    window[size++] = id;
    if (kinds.isByte(id)) {
      held++;
      return "";
    }
    held = 0;
    return advance(false);
  }

  /** What is left at the end of the stream: an incomplete character as a replacement character. */
  public String finish() {
    String rest = held > 0 || !settled(text).equals(text) ? advance(true) : "";
    size = 0;
    held = 0;
    text = "";
    return rest;
  }

  private String advance(boolean last) {
    String before = settled(text);
    text = decoder.apply(Arrays.copyOf(window, size));
    String piece = (last ? text : settled(text)).substring(before.length());
    if (size > WINDOW) {
      System.arraycopy(window, size - CONTEXT, window, 0, CONTEXT);
      size = CONTEXT;
      text = decoder.apply(Arrays.copyOf(window, size));
    }
    return piece;
  }

  /** The part of the window's text that no later token changes. */
  private String settled(String decoded) {
    return kinds.isByteLevel() && decoded.endsWith(REPLACEMENT)
        ? decoded.substring(0, decoded.length() - 1)
        : decoded;
  }
}
