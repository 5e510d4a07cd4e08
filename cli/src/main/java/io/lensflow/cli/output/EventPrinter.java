package io.lensflow.cli.output;

import io.lensflow.client.follow.LiveEvent;
import io.lensflow.client.follow.SettledEvent;

/** Shows events as they come. Not thread-safe. */
public interface EventPrinter {
  /** Shows a live event. */
  void print(LiveEvent event);

  /** Shows a settled event. */
  void print(SettledEvent event);
}
