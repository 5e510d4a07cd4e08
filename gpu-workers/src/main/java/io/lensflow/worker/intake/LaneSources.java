package io.lensflow.worker.intake;

import io.lensflow.worker.request.Lane;
import java.util.function.Consumer;

/**
 * The requests of both lanes as one source. Each lane has slots, consumers and a group of its own,
 * so that neither waits for the other's. Thread-safe.
 */
public final class LaneSources implements RequestSource {
  private final RequestSource interactive;
  private final RequestSource batch;

  /** Takes over both sources. */
  public LaneSources(RequestSource interactive, RequestSource batch) {
    this.interactive = interactive;
    this.batch = batch;
  }

  private RequestSource of(Delivery delivery) {
    return delivery.lane() == Lane.BATCH ? batch : interactive;
  }

  @Override
  public void start(Consumer<Delivery> sink) {
    interactive.start(sink);
    batch.start(sink);
  }

  @Override
  public void welcome(boolean open) {
    interactive.welcome(open);
    batch.welcome(open);
  }

  @Override
  public void park(Delivery delivery, boolean waits) {
    of(delivery).park(delivery, waits);
  }

  @Override
  public void complete(Delivery delivery) {
    of(delivery).complete(delivery);
  }

  @Override
  public void abandon(Delivery delivery) {
    of(delivery).abandon(delivery);
  }

  @Override
  public void close() {
    try {
      batch.close();
    } finally {
      interactive.close();
    }
  }
}
