package io.lensflow.ingest.http;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.util.List;

/** Lets web pages of chosen origins use the API (CORS). Immutable and thread-safe. */
final class CrossOrigin {
  private final List<String> allowed;

  /**
   * @param allowed origins such as {@code https://example.org}; {@code *} allows every one
   */
  CrossOrigin(List<String> allowed) {
    this.allowed = List.copyOf(allowed);
  }

  /** Adds nothing where no origin is allowed: then browsers refuse by themselves. */
  void register(RoutesConfig routes) {
    if (!allowed.isEmpty()) {
      routes.before(this::allow);
    }
  }

  boolean allowsAny() {
    return !allowed.isEmpty();
  }

  private void allow(Context ctx) {
    String origin = ctx.header("Origin");
    boolean any = allowed.contains("*");
    if (origin == null || !any && !allowed.contains(origin)) {
      return;
    }
    ctx.header("Access-Control-Allow-Origin", any ? "*" : origin);
    ctx.header("Vary", "Origin");
    ctx.header("Access-Control-Expose-Headers", "Location");
    if (ctx.header("Access-Control-Request-Method") != null) {
      ctx.header("Access-Control-Allow-Methods", "GET, POST, DELETE");
      ctx.header("Access-Control-Allow-Headers", "Content-Type, Last-Event-ID, traceparent");
      ctx.header("Access-Control-Max-Age", "600");
    }
  }
}
