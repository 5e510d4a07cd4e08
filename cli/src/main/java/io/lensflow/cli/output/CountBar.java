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
  private static final int WIDEST_TIME = ", 99:59 min left".length();

  private final PrintStream out;
  private final BarLine bar;
  private final LongSupplier nanoTime;
  private final boolean timeLeft;
  private String name = "";
  private long begun;
  private long begunAt;
  private long next;

  /**
   * @param out where lines and bar go
   * @param columns the terminal's width in characters; empty where {@code out} is none
   * @param nanoTime a clock such as {@link System#nanoTime()}
   */
  CountBar(PrintStream out, OptionalInt columns, LongSupplier nanoTime) {
    this(out, columns, nanoTime, false);
  }

  private CountBar(PrintStream out, OptionalInt columns, LongSupplier nanoTime, boolean timeLeft) {
    this.out = out;
    int widest = WIDEST_TEXT + (timeLeft ? WIDEST_TIME : 0);
    this.bar = columns.isEmpty() ? null : new BarLine(out, columns.getAsInt(), widest);
    this.nanoTime = nanoTime;
    this.timeLeft = timeLeft;
  }

  /** One that also says how long the rest will take, for what is slow enough to ask. */
  static CountBar withTimeLeft(PrintStream out, OptionalInt columns, LongSupplier nanoTime) {
    return new CountBar(out, columns, nanoTime, true);
  }

  /** On standard error, with the time that the rest will take. */
  public static CountBar withTimeLeftOnStandardError() {
    return withTimeLeft(Terminal.standardError(), Terminal.errorColumns(), System::nanoTime);
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
      begunAt = done;
      next = now + (bar == null ? LINE_NANOS : REDRAW_NANOS);
    }
    if (now - next < 0 && done < total) {
      return;
    }
    next = now + (bar == null ? LINE_NANOS : REDRAW_NANOS);
    double share = total == 0 ? 1 : (double) done / total;
    String whole = "%,d %s".formatted(total, unit);
    String rate = timeLeft ? pace(done, total, now) : perSecond(done, now);
    if (bar == null) {
      out.printf("%s: %d %% of %s, %s%n", what, (int) (100 * share), whole, rate);
    } else {
      bar.draw(what, share, whole, rate);
    }
  }

  private String perSecond(long done, long now) {
    return "%,.0f/s".formatted(done / Math.max(1e-3, (now - begun) / 1e9));
  }

  /** What was done before this bar began, as after a resumption, says nothing of the pace. */
  private String pace(long done, long total, long now) {
    double rate = (done - begunAt) / Math.max(1e-3, (now - begun) / 1e9);
    if (rate <= 0) {
      return "waiting";
    }
    String left = done == total ? "" : ", " + duration((total - done) / rate) + " left";
    return (rate < 10 ? "%.1f/s" : "%,.0f/s").formatted(rate) + left;
  }

  private static String duration(double seconds) {
    long whole = (long) Math.ceil(seconds);
    return whole < 60
        ? whole + " s"
        : whole < 3600
            ? "%d:%02d min".formatted(whole / 60, whole % 60)
            : "%d:%02d h".formatted(whole / 3600, whole % 3600 / 60);
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
