package io.lensflow.worker.intake;

import java.util.function.Consumer;

/**
 * Takes requests from their topic, at most as many at a time as there are slots, and acknowledges
 * each when it has ended. Delivery is at least once. Methods may be called from any thread and do
 * not block.
 */
public interface RequestSource extends AutoCloseable {
  /**
   * Starts the source's threads. Nothing is taken before {@link #welcome}.
   *
   * @param sink gets deliveries, on threads of the source
   */
  void start(Consumer<Delivery> sink);

  /**
   * Whether new requests are welcome: the backpressure. What was taken already is held in either
   * case.
   */
  void welcome(boolean open);

  /**
   * Says that a delivery waits for long, or no longer: while it does it takes no slot, so that
   * others are taken meanwhile. What is completed or abandoned waits no more.
   */
  void park(Delivery delivery, boolean waits);

  /** Acknowledges a delivery for good: its results are durable. */
  void complete(Delivery delivery);

  /** Gives a delivery back without acknowledging it, so that it is delivered again. */
  void abandon(Delivery delivery);

  /** Stops the threads; what is not acknowledged by then is delivered again, to others. */
  @Override
  void close();
}
