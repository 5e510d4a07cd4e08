package io.lensflow.ingest.http;

import io.javalin.http.Context;
import io.lensflow.client.json.InvalidRequestException;
import io.lensflow.client.json.RequestJson;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Set;
import java.util.TreeSet;

/** Reads parameters of a URL, strictly: a misspelt one must not be silently ignored. */
final class Parameters {
  private Parameters() {}

  /** The request's id in the path. */
  static String requestId(Context ctx) {
    return RequestJson.checkId(ctx.pathParam("id"));
  }

  /** Refuses query parameters that an operation does not know. */
  static void refuseOthers(Context ctx, Set<String> known) {
    for (String name : ctx.queryParamMap().keySet()) {
      if (!known.contains(name)) {
        throw new InvalidRequestException(
            name,
            known.isEmpty()
                ? "this operation has no query parameters"
                : "there is no query parameter '%s'; known are %s"
                    .formatted(name, new TreeSet<>(known)));
      }
    }
  }

  /** {@code true} or {@code false}; absent is false. */
  static boolean flag(Context ctx, String name) {
    String text = ctx.queryParam(name);
    if (text == null || text.equals("false")) {
      return false;
    }
    if (!text.equals("true")) {
      throw new InvalidRequestException(name, name + " must be true or false");
    }
    return true;
  }

  /** A time such as {@code 2026-11-23T12:00:00Z}; null where it is absent. */
  static Instant time(Context ctx, String name) {
    String text = ctx.queryParam(name);
    try {
      // A plus sign that was not escaped arrives as a blank.
      return text == null ? null : OffsetDateTime.parse(text.replace(' ', '+')).toInstant();
    } catch (DateTimeException e) {
      throw new InvalidRequestException(
          name, name + " must be a time such as 2026-11-23T12:00:00Z");
    }
  }
}
