package io.lensflow.engine.model;

import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.capture.SequenceCapture;

/** A sequence of {@link Transformer}: a run of the pool and how far it is filled. */
final class RunningSequence implements Sequence {
  private final Transformer owner;
  private final SequenceOptions options;
  private final SequenceCapture capture;
  private final int poolStart;
  private int length;
  private boolean closed;

  RunningSequence(
      Transformer owner, SequenceOptions options, SequenceCapture capture, int poolStart) {
    this.owner = owner;
    this.options = options;
    this.capture = capture;
    this.poolStart = poolStart;
  }

  Transformer owner() {
    return owner;
  }

  SequenceOptions options() {
    return options;
  }

  SequenceCapture capture() {
    return capture;
  }

  int poolStart() {
    return poolStart;
  }

  boolean isClosed() {
    return closed;
  }

  void advance(int count) {
    length += count;
  }

  @Override
  public int promptLength() {
    return options.promptLength();
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      owner.release(this);
    }
  }
}
