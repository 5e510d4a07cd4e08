package io.lensflow.ingest.stream;

/** A stream ends before its request; the client is told why and may resume. */
final class StreamClosedException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final String code;

  /**
   * @param code stable, for programs
   * @param message one sentence for people
   */
  StreamClosedException(String code, String message) {
    super(message);
    this.code = code;
  }

  String code() {
    return code;
  }
}
