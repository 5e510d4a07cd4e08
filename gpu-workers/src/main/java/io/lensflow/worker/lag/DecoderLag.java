package io.lensflow.worker.lag;

import java.util.Arrays;

/**
 * How much of what {@code activations} keeps the model's decoder has still to read. Immutable.
 *
 * <p>The topic drops its oldest rows when a partition takes more than {@code retention.bytes}. Rows
 * that the decoder has not read go next when they fill that: so the measure is the bytes of unread
 * rows ÷ {@code retention.bytes}. With a full log, 0.9 is a decoder within a tenth of the log's
 * start; a log that is not full never comes near.
 */
public final class DecoderLag {
  /** Share from which on the decoder counts as behind: a tenth of the log is left to it. */
  public static final double BEHIND = 0.9;

  /** Share at which it has caught up again. */
  public static final double CAUGHT_UP = 0.8;

  /** Nobody decodes this model, or nobody could be asked yet. */
  public static final DecoderLag UNKNOWN = new DecoderLag(new double[0], new boolean[0]);

  private final double[] unread;
  private final boolean[] behind;

  private DecoderLag(double[] unread, boolean[] behind) {
    this.unread = unread;
    this.behind = behind;
  }

  /**
   * The next reading.
   *
   * @param shares unread bytes ÷ retention, per partition; empty if nobody decodes
   */
  DecoderLag next(double[] shares) {
    boolean[] now = new boolean[shares.length];
    for (int p = 0; p < shares.length; p++) {
      now[p] = shares[p] >= (isBehind(p) ? CAUGHT_UP : BEHIND);
    }
    return new DecoderLag(shares.clone(), now);
  }

  /** Whether the rows of this partition that come next would push out unread ones. */
  public boolean isBehind(int partition) {
    return partition < behind.length && behind[partition];
  }

  /** How many partitions are behind. */
  public int behindCount() {
    int count = 0;
    for (boolean one : behind) {
      count += one ? 1 : 0;
    }
    return count;
  }

  /** The largest share of a partition; NaN if nobody decodes. */
  public double worst() {
    return Arrays.stream(unread).max().orElse(Double.NaN);
  }
}
