package io.lensflow.steering.http;

import io.javalin.http.Context;
import io.lensflow.service.ApiException;
import io.lensflow.steering.json.StrictJson;
import io.lensflow.steering.vector.RefusedException;
import java.io.IOException;
import java.io.InputStream;

/** Reads bodies of requests: bounded, strict, and with errors that name the field. Thread-safe. */
final class Bodies {
  private final long maxBytes;

  /**
   * @param maxBytes largest body
   */
  Bodies(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /**
   * The body as {@code type}.
   *
   * @throws ApiException if it is larger than allowed
   * @throws RefusedException if it is not JSON of that type
   */
  <T> T read(Context ctx, Class<T> type) throws IOException {
    return parse(bytes(ctx), type);
  }

  /**
   * A body as {@code type}.
   *
   * @throws RefusedException if it is not JSON of that type
   */
  <T> T parse(byte[] body, Class<T> type) throws IOException {
    return StrictJson.read(body, type);
  }

  /**
   * The body as it is.
   *
   * @throws ApiException if it is larger than allowed
   */
  byte[] bytes(Context ctx) throws IOException {
    return bytes(
        ctx, maxBytes, "publish fewer sites at a time, or raise lensflow.steering.max-body-bytes");
  }

  /**
   * The body as it is.
   *
   * @param limit largest that it may be
   * @param remedy what to do where it is larger
   * @throws ApiException if it is larger
   */
  byte[] bytes(Context ctx, long limit, String remedy) throws IOException {
    try (InputStream in = ctx.bodyInputStream()) {
      byte[] body = in.readNBytes(Math.toIntExact(Math.min(limit + 1, Integer.MAX_VALUE - 8)));
      if (body.length > limit) {
        throw new ApiException(
            413,
            "TOO_LARGE",
            "the body is larger than %d bytes; %s".formatted(limit, remedy),
            null);
      }
      return body;
    }
  }
}
