package io.lensflow.service;

import io.javalin.Javalin;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.HttpResponseException;
import io.javalin.util.JavalinBindException;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP port of a service: {@code /healthz} (the process lives), {@code /readyz} (it can work),
 * {@code /metrics} (Prometheus text), and the service's own routes. Thread-safe.
 */
public final class OpsServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(OpsServer.class);

  private final Javalin javalin;
  private final JvmGcMetrics gcMetrics = new JvmGcMetrics();

  private OpsServer(Javalin javalin) {
    this.javalin = javalin;
  }

  /**
   * Starts to listen.
   *
   * @param host address to bind
   * @param port port to bind; 0 takes a free one
   * @param metrics what {@code /metrics} shows
   * @param readiness asked at every {@code /readyz}; must be quick
   * @param routes adds the service's own routes
   * @throws IOException if the port cannot be bound; the message names it
   */
  public static OpsServer start(
      String host,
      int port,
      PrometheusMeterRegistry metrics,
      Supplier<Readiness> readiness,
      Consumer<RoutesConfig> routes)
      throws IOException {
    Javalin javalin =
        Javalin.create(
            config -> {
              config.startup.showJavalinBanner = false;
              config.startup.showOldJavalinVersionWarning = false;
              config.http.prefer405over404 = true;
              config.routes.get("/healthz", ctx -> ctx.result("ok"));
              config.routes.get("/readyz", ctx -> answer(ctx, readiness.get()));
              config.routes.get(
                  "/metrics",
                  ctx ->
                      ctx.contentType("text/plain; version=0.0.4; charset=utf-8")
                          .result(metrics.scrape()));
              config.routes.exception(ApiException.class, OpsServer::answer);
              config.routes.exception(HttpResponseException.class, OpsServer::answer);
              config.routes.exception(Exception.class, OpsServer::answer);
              routes.accept(config.routes);
            });
    OpsServer server = new OpsServer(javalin);
    new JvmMemoryMetrics().bindTo(metrics);
    new JvmThreadMetrics().bindTo(metrics);
    server.gcMetrics.bindTo(metrics);
    try {
      javalin.start(host, port);
    } catch (JavalinBindException e) {
      server.close();
      throw new IOException(
          "cannot listen on %s:%d, which another process uses or this one may not; choose another port"
              .formatted(host, port),
          e);
    }
    return server;
  }

  /** The port that it listens on. */
  public int port() {
    return javalin.port();
  }

  @Override
  public void close() {
    gcMetrics.close();
    javalin.stop();
  }

  private static void answer(Context ctx, Readiness readiness) {
    ctx.status(readiness.ready() ? 200 : 503).result(text(readiness));
  }

  private static String text(Readiness readiness) {
    if (!readiness.ready()) {
      return readiness.reason();
    }
    return readiness.reason().isEmpty() ? "ready" : "ready; " + readiness.reason();
  }

  private static void answer(ApiException e, Context ctx) {
    error(ctx, e.status(), e.code(), e.getMessage(), e.field());
  }

  private static void answer(HttpResponseException e, Context ctx) {
    error(
        ctx,
        e.getStatus(),
        e.getStatus() == 404 ? "NOT_FOUND" : "BAD_REQUEST",
        e.getMessage(),
        null);
  }

  private static void answer(Exception e, Context ctx) {
    log.error("{} {} failed", ctx.method(), ctx.path(), e);
    error(ctx, 500, "INTERNAL", "the service failed to answer; its log says why", null);
  }

  /** Answers {@code {"error": {"code", "message", "field"}}}. */
  public static void error(Context ctx, int status, String code, String message, String field) {
    Map<String, Object> error = new LinkedHashMap<>();
    error.put("code", code);
    error.put("message", message);
    error.put("field", field);
    ctx.status(status).json(Map.of("error", error));
  }
}
