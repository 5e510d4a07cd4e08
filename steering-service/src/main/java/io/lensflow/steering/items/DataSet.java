package io.lensflow.steering.items;

import io.lensflow.steering.items.LineReader.BadLine;
import io.lensflow.steering.vector.RefusedException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A file of contrastive data: one JSON object a line with {@code question}, {@code
 * answer_matching_behavior} and {@code answer_not_matching_behavior}; further fields are ignored.
 * Immutable and thread-safe.
 *
 * <p>Every line that is not blank has an item number, from 0, whether it can be read or not: one
 * mended line renumbers nothing.
 */
public final class DataSet {
  /** More refused lines than these are counted, but not quoted, in one message. */
  private static final int QUOTED = 5;

  private final String name;
  private final String sha256;
  private final Map<Integer, ContrastiveItem> items;
  private final List<SkippedLine> skipped;

  private DataSet(
      String name, String sha256, List<ContrastiveItem> items, List<SkippedLine> skipped) {
    this.name = name;
    this.sha256 = sha256;
    this.items =
        items.stream().collect(Collectors.toMap(ContrastiveItem::number, Function.identity()));
    this.skipped = List.copyOf(skipped);
  }

  /**
   * Reads a file. Lines that are no items are skipped and remembered.
   *
   * @param name what to call it; the record of a vector carries it
   * @param bytes the file, UTF-8, with or without a byte order mark
   * @throws RefusedException if it holds no item at all; the message quotes the first lines' faults
   */
  public static DataSet read(String name, byte[] bytes) {
    List<ContrastiveItem> items = new ArrayList<>();
    List<SkippedLine> skipped = new ArrayList<>();
    int line = 0;
    for (int start = startAfterMark(bytes); start < bytes.length; ) {
      int end = endOfLine(bytes, start);
      int number = items.size() + skipped.size();
      line++;
      try {
        String text = LineReader.text(ByteBuffer.wrap(bytes, start, end - start));
        if (!text.isBlank()) {
          items.add(LineReader.item(number, line, text));
        }
      } catch (BadLine e) {
        skipped.add(new SkippedLine(line, number, e.getMessage()));
      }
      start = end + 1;
    }
    if (items.isEmpty()) {
      throw RefusedException.invalid("data", nothingIn(name, skipped));
    }
    return new DataSet(name, sha256(bytes), items, skipped);
  }

  private static String nothingIn(String name, List<SkippedLine> skipped) {
    if (skipped.isEmpty()) {
      return "'%s' is empty; give one JSON object a line".formatted(name);
    }
    return "'%s' has no usable line; %s".formatted(name, quote(skipped));
  }

  /** The first of these lines in words, and how many there are more. */
  public static String quote(List<SkippedLine> skipped) {
    String first =
        skipped.stream().limit(QUOTED).map(SkippedLine::toString).collect(Collectors.joining("; "));
    int more = skipped.size() - QUOTED;
    return more <= 0 ? first : "%s; and %d more".formatted(first, more);
  }

  private static int startAfterMark(byte[] bytes) {
    boolean mark =
        bytes.length >= 3
            && bytes[0] == (byte) 0xEF
            && bytes[1] == (byte) 0xBB
            && bytes[2] == (byte) 0xBF;
    return mark ? 3 : 0;
  }

  private static int endOfLine(byte[] bytes, int start) {
    int end = start;
    while (end < bytes.length && bytes[end] != '\n') {
      end++;
    }
    return end;
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  /** What it is called. */
  public String name() {
    return name;
  }

  /** SHA-256 of the file as it was given, hex. */
  public String sha256() {
    return sha256;
  }

  /** How many item numbers there are: items and lines that could not be read. */
  public int size() {
    return items.size() + skipped.size();
  }

  /** The item of a number; null if its line could not be read. */
  public ContrastiveItem item(int number) {
    return items.get(number);
  }

  /** All lines that could not be read, in the order of the file. */
  public List<SkippedLine> skipped() {
    return skipped;
  }
}
