package io.lensflow.worker.scheduling;

import java.util.List;

/**
 * Holds text back as long as it may be the beginning of a stop string, so that no part of one is
 * ever emitted. Not thread-safe: one per stream.
 */
final class StopStrings {
  private final List<String> stops;
  private String held = "";

  /**
   * @param stops none of them empty
   */
  StopStrings(List<String> stops) {
    this.stops = List.copyOf(stops);
  }

  /**
   * Text that may leave now.
   *
   * @param text what can be emitted
   * @param stop the stop string that has ended the stream, null if none has
   */
  record Passed(String text, String stop) {}

  /** Takes the next piece of text. After a stop string nothing more may be offered. */
  Passed offer(String piece) {
    String text = held + piece;
    int first = -1;
    String found = null;
    for (String stop : stops) {
      int at = text.indexOf(stop);
      if (at >= 0 && (first < 0 || at < first)) {
        first = at;
        found = stop;
      }
    }
    if (found != null) {
      held = "";
      return new Passed(text.substring(0, first), found);
    }
    int keep = longestBeginning(text);
    held = text.substring(text.length() - keep);
    return new Passed(text.substring(0, text.length() - keep), null);
  }

  /** What is still held at the end of the stream: it did not become a stop string. */
  String finish() {
    String rest = held;
    held = "";
    return rest;
  }

  /** Length of the longest end of the text that is the beginning of a stop string. */
  private int longestBeginning(String text) {
    int longest = 0;
    for (String stop : stops) {
      for (int length = Math.min(stop.length() - 1, text.length()); length > longest; length--) {
        if (text.regionMatches(text.length() - length, stop, 0, length)) {
          longest = length;
        }
      }
    }
    return longest;
  }
}
