package io.lensflow.client.follow;

import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;

/** What makes an event the end of a request. */
final class Terminal {
  private Terminal() {}

  static boolean is(CompletionEvent event) {
    return switch (event.getType()) {
      case FINISHED, FAILED, CANCELLED -> true;
      case UNKNOWN, ACCEPTED, TOKENS, ATTEMPT_FAILED -> false;
    };
  }

  /** Chunks that the attempt has published; 0 where none count because it did not finish. */
  static int chunks(CompletionEvent terminal) {
    return terminal.getType() == CompletionType.FINISHED && terminal.getFinished() != null
        ? terminal.getFinished().getChunks()
        : 0;
  }
}
