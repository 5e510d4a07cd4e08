package io.lensflow.steering.http;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.Handler;
import io.javalin.http.HandlerType;
import io.lensflow.schemas.registry.SchemaRegistryException;
import io.lensflow.service.OpsServer;
import io.lensflow.steering.job.JobDesk;
import io.lensflow.steering.policy.PolicyBook;
import io.lensflow.steering.policy.PolicyChanges;
import io.lensflow.steering.topics.AuditReader;
import io.lensflow.steering.topics.SiteReader;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.VectorBook;
import io.lensflow.steering.vector.VectorChanges;
import io.lensflow.steering.worker.LiveWorkers;
import io.lensflow.steering.writer.Writer;
import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RecordTooLargeException;

/**
 * The HTTP API. Reads are served by every instance, changes by the writer; both only for who may.
 * Thread-safe.
 */
public final class SteeringRoutes {
  private final List<Route> routes;
  private final AccessGate access;

  /**
   * What the API looks at and changes.
   *
   * @param audit what the audit topic says
   * @param maxBodyBytes largest body of a request
   * @param maxWaitingCallers callers that may wait for workers at a time
   * @param tokens who may do what
   */
  public record Parts(
      VectorBook vectors,
      VectorChanges vectorChanges,
      PolicyBook policies,
      PolicyChanges policyChanges,
      LiveWorkers workers,
      SiteReader sites,
      Writer writer,
      JobDesk jobs,
      AuditReader audit,
      long maxBodyBytes,
      int maxWaitingCallers,
      BearerTokens tokens) {}

  public SteeringRoutes(Parts of) {
    this.access = new AccessGate(of.tokens());
    Bodies bodies = new Bodies(of.maxBodyBytes());
    RequestParts parts = new RequestParts(of.vectors(), of.workers());
    WaitingCallers waiting = new WaitingCallers(of.workers(), of.maxWaitingCallers());
    Publishing publishing = new Publishing(of.vectors(), of.vectorChanges(), waiting, of.writer());
    this.routes =
        Stream.of(
                List.of(
                    new Route(
                        HandlerType.GET,
                        "/openapi.json",
                        Scope.PUBLIC,
                        false,
                        SteeringRoutes::openApi)),
                new VectorRoutes(
                        of.vectors(),
                        of.vectorChanges(),
                        of.workers(),
                        of.sites(),
                        of.writer(),
                        publishing,
                        waiting,
                        bodies)
                    .routes(),
                new AlgebraRoutes(of.vectors(), of.sites(), publishing, bodies, parts).routes(),
                new FileRoutes(of.sites(), publishing, bodies, parts).routes(),
                new PolicyRoutes(
                        of.policies(),
                        of.policyChanges(),
                        of.workers(),
                        of.audit(),
                        waiting,
                        of.writer(),
                        bodies,
                        parts)
                    .routes(),
                new ModelRoutes(of.workers()).routes(),
                new JobRoutes(of.jobs(), of.workers(), bodies, parts).routes())
            .flatMap(List::stream)
            .toList();
  }

  /** Every route; {@code openapi.json} describes the same, and a test holds the two together. */
  List<Route> routes() {
    return routes;
  }

  /** Adds the routes to a server. */
  public void register(RoutesConfig config, WriterGate gate) {
    config.exception(RefusedException.class, SteeringRoutes::refuse);
    config.exception(
        SchemaRegistryException.class,
        (e, ctx) -> OpsServer.error(ctx, 503, "REGISTRY_UNAVAILABLE", e.getMessage(), null));
    config.exception(
        KafkaException.class,
        (e, ctx) -> OpsServer.error(ctx, 503, "KAFKA_UNAVAILABLE", e.getMessage(), null));
    config.exception(
        RecordTooLargeException.class,
        (e, ctx) -> OpsServer.error(ctx, 413, "TOO_LARGE", e.getMessage(), "values"));
    for (Route route : routes) {
      Handler handler = route.changes() ? gate.guard(route.handler()) : route.handler();
      config.addHttpHandler(route.method(), route.path(), access.guard(route.scope(), handler));
    }
  }

  private static void refuse(RefusedException e, Context ctx) {
    int status =
        switch (e.reason()) {
          case INVALID -> 400;
          case UNKNOWN -> 404;
          case CONFLICT -> 409;
          case BUSY -> 429;
        };
    Map<String, Object> error = new LinkedHashMap<>();
    error.put("code", e.code());
    error.put("message", e.getMessage());
    error.put("field", e.field());
    Map<String, Object> answer = Answers.object("error", error);
    if (e.currentVersion() != null) {
      answer.put("currentVersion", e.currentVersion());
    }
    ctx.status(status).json(answer);
  }

  private static void openApi(Context ctx) throws IOException {
    try (InputStream in = SteeringRoutes.class.getResourceAsStream("/openapi-steering.json")) {
      ctx.contentType("application/json").result(in.readAllBytes());
    }
  }
}
