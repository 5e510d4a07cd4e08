package io.lensflow.cli.output;

import java.io.PrintStream;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.function.LongSupplier;

/**
 * How far a count is, with its rate: a bar on a terminal, a line now and then elsewhere, other
 * lines above it. Thread-safe.
 */
public final class CountBar implements AutoCloseable {
  private static final long REDRAW_NANOS = Duration.ofMillis(100).toNanos();
  private static final long LINE_NANOS = Duration.ofSeconds(5).toNanos();
  private static final int WIDEST_TEXT = " 100 % of 999,999,999 chunks, 999,999/s".length();

  private final PrintStream out;
  private final BarLine bar;
  private final LongSupplier nanoTime;
  private String name = "";
  private long begun;
  private long next;

  /**
   * @param out where lines and bar go
   * @param columns the terminal's width in characters; empty where {@code out} is none
   * @param nanoTime a clock such as {@link System#nanoTime()}
   */
  CountBar(PrintStream out, OptionalInt columns, LongSupplier nanoTime) {
    this.out = out;
    this.bar = columns.isEmpty() ? null : new BarLine(out, columns.getAsInt(), WIDEST_TEXT);
    this.nanoTime = nanoTime;
  }

  /** On standard error, whatever that is. */
  public static CountBar onStandardError() {
    return new CountBar(Terminal.standardError(), Terminal.errorColumns(), System::nanoTime);
  }

  /**
   * Shows a count.
   *
   * @param what what goes on; another one than before starts the rate anew
   * @param done how many
   * @param total of how many
   * @param unit of what, in the plural
   */
  public synchronized void update(String what, long done, long total, String unit) {
    long now = nanoTime.getAsLong();
    if (!what.equals(name)) {
      name = what;
      begun = now;
      next = now + (bar == null ? LINE_NANOS : REDRAW_NANOS);
    }
    if (now - next < 0 && done < total) {
      return;
    }
    next = now + (bar == null ? LINE_NANOS : REDRAW_NANOS);
    double share = total == 0 ? 1 : (double) done / total;
    String whole = "%,d %s".formatted(total, unit);
    String rate = "%,.0f/s".formatted(done / Math.max(1e-3, (now - begun) / 1e9));
    if (bar == null) {
      out.printf("%s: %d %% of %s, %s%n", what, (int) (100 * share), whole, rate);
    } else {
      bar.draw(what, share, whole, rate);
    }
  }

  /** Prints a line. */
  public synchronized void say(String line) {
    close();
    out.println(line);
  }

  /** Takes the bar away, until the next count. */
  @Override
  public synchronized void close() {
    if (bar != null) {
      bar.erase();
    }
  }
}
