package io.lensflow.ingest.stream;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The {@code id:} of a Server-Sent Event: what a client has got, once it has that event. Immutable.
 *
 * <p>A live stream is woven from two logs, each in its own order, so that its ids are two places:
 * {@code c120.2-r77.40} says that of {@code completions} everything before offset 120 and the first
 * 2 events of the record there were delivered, and of {@code lens-results} everything before offset
 * 77 and 40 events there. Events are counted before any filter, so that an id means the same under
 * every filter. A settled stream has one order and its ids count events: {@code s17}. The last
 * event ends in {@code -end}.
 */
public sealed interface EventId {
  /** Whether nothing follows. */
  boolean end();

  /**
   * A place in a log.
   *
   * @param offset of a record
   * @param events how many of that record's events were delivered
   */
  record Place(long offset, int events) {
    static final Place START = new Place(0, 0);

    /** Whether an event, counted from 1 in its record, was delivered. */
    boolean covers(long eventOffset, int event) {
      return eventOffset < offset || eventOffset == offset && event <= events;
    }
  }

  /** Of a live stream. */
  record Live(Place completions, Place results, boolean end) implements EventId {
    static final Live START = new Live(Place.START, Place.START, false);

    @Override
    public String toString() {
      return "c%d.%d-r%d.%d%s"
          .formatted(
              completions.offset,
              completions.events,
              results.offset,
              results.events,
              end ? "-end" : "");
    }
  }

  /** Of a settled stream. */
  record Settled(long events, boolean end) implements EventId {
    static final Settled START = new Settled(0, false);

    @Override
    public String toString() {
      return "s" + events + (end ? "-end" : "");
    }
  }

  /** Where a stream begins that was never read. */
  static EventId start(boolean settled) {
    return settled ? Settled.START : Live.START;
  }

  /**
   * Reads an id that {@code toString} wrote.
   *
   * @param settled whether it must be one of a settled stream
   * @throws IllegalArgumentException if it is none of that kind
   */
  static EventId parse(String text, boolean settled) {
    Matcher matcher = (settled ? Patterns.SETTLED : Patterns.LIVE).matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "'%s' is not an event id of a %s stream, such as %s"
              .formatted(
                  text.length() > 100 ? text.substring(0, 100) + "…" : text,
                  settled ? "settled" : "live",
                  settled ? "s17" : "c120.2-r77.40"));
    }
    if (settled) {
      return new Settled(Long.parseLong(matcher.group(1)), matcher.group(2) != null);
    }
    return new Live(
        place(matcher.group(1), matcher.group(2)),
        place(matcher.group(3), matcher.group(4)),
        matcher.group(5) != null);
  }

  private static Place place(String offset, String events) {
    return new Place(Long.parseLong(offset), Integer.parseInt(events));
  }

  /** Digits are bounded, so that every match is a number. */
  final class Patterns {
    private static final Pattern LIVE =
        Pattern.compile("c(\\d{1,18})\\.(\\d{1,9})-r(\\d{1,18})\\.(\\d{1,9})(-end)?");
    private static final Pattern SETTLED = Pattern.compile("s(\\d{1,18})(-end)?");

    private Patterns() {}
  }
}
