package io.lensflow.steering.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import io.lensflow.records.SteeringJob;
import io.lensflow.steering.job.JobDesk;
import io.lensflow.steering.job.JobJson;
import io.lensflow.steering.job.JobKind;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.worker.LiveWorkers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Jobs over HTTP: a path for each kind to ask at, and one for all to look. Thread-safe. */
final class JobRoutes {
  private static final String JOBS = "/v1/jobs";
  private static final String JOB = JOBS + "/{job}";

  private final JobDesk desk;
  private final LiveWorkers workers;
  private final Bodies bodies;
  private final RequestParts parts;

  JobRoutes(JobDesk desk, LiveWorkers workers, Bodies bodies, RequestParts parts) {
    this.desk = desk;
    this.workers = workers;
    this.bodies = bodies;
    this.parts = parts;
  }

  List<Route> routes() {
    List<Route> routes = new ArrayList<>();
    for (JobKind kind : desk.kinds()) {
      routes.add(
          Route.write(
              HandlerType.POST, "/v1/models/{model}/" + kind.path(), ctx -> ask(ctx, kind)));
    }
    routes.add(Route.read(HandlerType.GET, JOBS, this::list));
    routes.add(Route.read(HandlerType.GET, JOB, this::get));
    routes.add(Route.write(HandlerType.POST, JOB + "/cancel", this::cancel));
    routes.add(Route.write(HandlerType.DELETE, JOB, this::forget));
    return routes;
  }

  private void ask(Context ctx, JobKind kind) throws IOException {
    String model = parts.model(ctx);
    byte[] body =
        bodies.bytes(
            ctx,
            desk.maxRequestBytes(),
            "send fewer items, or raise lensflow.steering.jobs.max-request-bytes");
    JsonNode request = bodies.parse(body, JsonNode.class);
    if (!request.isObject()) {
      throw RefusedException.invalid(null, "the body must be a JSON object");
    }
    if (workers.of(model).isEmpty()) {
      throw RefusedException.unknown(
          "model", "no live worker serves '%s'; start one, or name another model".formatted(model));
    }
    SteeringJob job = desk.ask(kind, model, request, RequestParts.origin(ctx));
    ctx.status(202).header("Location", JOBS + "/" + job.getJobId()).json(JobJson.describe(job));
  }

  private void list(Context ctx) {
    Optional<String> model = Optional.ofNullable(ctx.queryParam("model"));
    ctx.json(Answers.object("jobs", desk.list(model).stream().map(JobJson::describe).toList()));
  }

  private void get(Context ctx) {
    ctx.json(JobJson.describe(desk.get(ctx.pathParam("job"))));
  }

  private void cancel(Context ctx) {
    ctx.json(JobJson.describe(desk.cancel(ctx.pathParam("job"), RequestParts.origin(ctx))));
  }

  private void forget(Context ctx) {
    String job = ctx.pathParam("job");
    desk.forget(job, RequestParts.origin(ctx));
    ctx.json(Answers.object("deleted", job));
  }
}
