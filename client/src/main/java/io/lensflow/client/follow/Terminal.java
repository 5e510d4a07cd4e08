package io.lensflow.client.follow;

import io.lensflow.records.CompletionEvent;

/** What makes an event the end of a request. */
final class Terminal {
  private Terminal() {}

  static boolean is(CompletionEvent event) {
    return switch (event.getType()) {
      case FINISHED, FAILED, CANCELLED -> true;
      case UNKNOWN, ACCEPTED, TOKENS, ATTEMPT_FAILED -> false;
    };
  }
}
