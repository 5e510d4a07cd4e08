package io.lensflow.ingest.stream;

import java.io.IOException;

/** Where events go; may block while the client is busy. */
interface EventSink {
  /**
   * Hands an event on.
   *
   * @param id what the client has got with it
   * @param json one object, without line breaks
   * @throws IOException if the client is gone
   */
  void event(EventId id, String json) throws IOException;
}
