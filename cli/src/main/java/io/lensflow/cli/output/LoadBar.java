package io.lensflow.cli.output;

import io.lensflow.cli.system.Progress;
import io.lensflow.hub.Bytes;
import java.io.PrintStream;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.function.LongSupplier;

/**
 * What a command that loads a model says meanwhile: its lines, and how far the load is, as a bar
 * below them on a terminal, and as a line now and then elsewhere. The bar comes when a load takes
 * its time and goes when that is over. Thread-safe.
 */
public final class LoadBar implements Progress, AutoCloseable {
  private static final long PATIENCE_NANOS = Duration.ofMillis(500).toNanos();
  private static final long REDRAW_NANOS = Duration.ofMillis(100).toNanos();
  private static final long LINE_NANOS = Duration.ofSeconds(5).toNanos();
  private static final int WIDEST_TEXT = " 100 % of 999 GB".length();

  private final PrintStream out;
  private final BarLine bar;
  private final String name;
  private final LongSupplier nanoTime;
  private boolean begun;
  private boolean ended;
  private long next;

  /**
   * @param out where lines and bar go
   * @param columns the terminal's width in characters; empty where {@code out} is none
   * @param name the model's name
   * @param nanoTime a clock such as {@link System#nanoTime()}
   */
  LoadBar(PrintStream out, OptionalInt columns, String name, LongSupplier nanoTime) {
    this.out = out;
    this.bar = columns.isEmpty() ? null : new BarLine(out, columns.getAsInt(), WIDEST_TEXT);
    this.name = name;
    this.nanoTime = nanoTime;
  }

  /** On standard error, whatever that is. */
  public static LoadBar onStandardError(String name) {
    return new LoadBar(
        Terminal.standardError(), Terminal.errorColumns(), "loading " + name, System::nanoTime);
  }

  @Override
  public synchronized void read(long bytesRead, long totalBytes) {
    long now = nanoTime.getAsLong();
    if (!begun) {
      begun = true;
      next = now + (bar == null ? LINE_NANOS : PATIENCE_NANOS);
    }
    if (bytesRead == totalBytes) {
      close();
    }
    if (ended || now - next < 0) {
      return;
    }
    if (bar == null) {
      next = now + LINE_NANOS;
      out.printf("%s: %d %% of %s%n", name, 100 * bytesRead / totalBytes, Bytes.text(totalBytes));
    } else {
      next = now + REDRAW_NANOS;
      bar.draw(name, totalBytes, bytesRead, "");
    }
  }

  @Override
  public synchronized void say(String line) {
    if (bar != null) {
      bar.erase();
    }
    out.println(line);
  }

  /** Takes the bar away; it does not come back. Closing twice is harmless. */
  @Override
  public synchronized void close() {
    ended = true;
    if (bar != null) {
      bar.erase();
    }
  }
}
