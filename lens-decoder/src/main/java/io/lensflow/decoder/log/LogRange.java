package io.lensflow.decoder.log;

import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Which part of a topic's log to read. Times are the broker's, at which it appended a record.
 *
 * @param partition the only partition; empty for all
 * @param start where to begin
 * @param from the time to begin at; present exactly with {@link Start#TIME}
 * @param to the time to end before; empty for no such end
 * @param follow whether to wait for records that are yet to come; else reading ends at what is
 *     there when it begins
 */
public record LogRange(
    OptionalInt partition,
    Start start,
    Optional<Instant> from,
    Optional<Instant> to,
    boolean follow) {
  /** Where to begin. */
  public enum Start {
    /** At the oldest record that is still kept. */
    BEGINNING,
    /** At the first record that is not older than a time. */
    TIME,
    /** At what comes next. */
    END
  }

  public LogRange {
    if (from.isPresent() != (start == Start.TIME)) {
      throw new IllegalArgumentException("from belongs to Start.TIME, and to nothing else");
    }
  }

  /** All that is kept, and nothing that comes. */
  public static LogRange kept() {
    return new LogRange(
        OptionalInt.empty(), Start.BEGINNING, Optional.empty(), Optional.empty(), false);
  }

  /** Only what comes from now on. */
  public static LogRange live() {
    return new LogRange(OptionalInt.empty(), Start.END, Optional.empty(), Optional.empty(), true);
  }

  /** From a time on. */
  public LogRange from(Instant time) {
    return new LogRange(partition, Start.TIME, Optional.of(time), to, follow);
  }

  /** Up to a time. */
  public LogRange to(Instant time) {
    return new LogRange(partition, start, from, Optional.of(time), follow);
  }

  /** One partition. */
  public LogRange in(int only) {
    return new LogRange(OptionalInt.of(only), start, from, to, follow);
  }

  /** And what is yet to come. */
  public LogRange following() {
    return new LogRange(partition, start, from, to, true);
  }
}
