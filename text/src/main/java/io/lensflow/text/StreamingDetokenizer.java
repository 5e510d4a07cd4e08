package io.lensflow.text;

import java.util.Arrays;

/**
 * Turns a stream of token ids into text that never holds half a character, and that joins to
 * exactly the decoded whole. Not thread-safe: one per stream.
 *
 * <p>How: the text of a token depends on its neighbours (a character may span tokens, and a first
 * token may lose its space), so a window of ids is decoded with and without the new one, and the
 * difference is emitted once it does not end in a replacement character.
 */
public final class StreamingDetokenizer {
  private final Tokenizer tokenizer;
  private int[] ids = new int[64];
  private int size;
  private int windowStart;
  private int emitted;

  StreamingDetokenizer(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** The text that this token completes; empty while a character is still incomplete. */
  public String append(int id) {
    if (size == ids.length) {
      ids = Arrays.copyOf(ids, 2 * size);
    }
    ids[size++] = id;
    String before = text(windowStart, emitted);
    String after = text(windowStart, size);
    if (after.length() <= before.length() || after.endsWith("\uFFFD")) {
      return "";
    }
    windowStart = emitted;
    emitted = size;
    return after.substring(before.length());
  }

  /** What is left at the end of the stream: an incomplete character as a replacement character. */
  public String finish() {
    String before = text(windowStart, emitted);
    String after = text(windowStart, size);
    windowStart = size;
    emitted = size;
    return after.substring(Math.min(before.length(), after.length()));
  }

  private String text(int from, int to) {
    return tokenizer.decode(true, Arrays.copyOfRange(ids, from, to));
  }
}
