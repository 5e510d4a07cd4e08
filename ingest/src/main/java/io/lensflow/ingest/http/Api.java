package io.lensflow.ingest.http;

import io.javalin.config.RoutesConfig;
import io.javalin.http.HandlerType;
import io.lensflow.client.json.InvalidRequestException;
import io.lensflow.service.ApiException;
import io.lensflow.service.OpsServer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** All operations of the gateway. Thread-safe. */
public final class Api {
  private static final List<String> METHODS = List.of("GET", "POST", "PUT", "PATCH", "DELETE");

  private final List<Route> routes;
  private final CrossOrigin crossOrigin;

  public Api(
      RequestRoutes requests,
      EventRoutes events,
      ModelRoutes models,
      OpenApiRoutes description,
      List<String> allowedOrigins) {
    this.routes =
        Stream.of(requests.routes(), events.routes(), models.routes(), description.routes())
            .flatMap(List::stream)
            .toList();
    this.crossOrigin = new CrossOrigin(allowedOrigins);
  }

  /** Every operation, for comparison with its description. */
  public List<Route> routes() {
    return routes;
  }

  /** Adds the operations to a server, and a refusal for every other method of their paths. */
  public void register(RoutesConfig server) {
    crossOrigin.register(server);
    server.exception(
        InvalidRequestException.class,
        (e, ctx) -> OpsServer.error(ctx, 400, "INVALID_REQUEST", e.getMessage(), e.field()));
    Map<String, Set<String>> methods = new TreeMap<>();
    for (Route route : routes) {
      server.addHttpHandler(
          HandlerType.findOrCreate(route.method()), route.path(), route.handler());
      methods.computeIfAbsent(route.path(), path -> new TreeSet<>()).add(route.method());
    }
    methods.forEach((path, known) -> refuseOthers(server, path, known));
  }

  private void refuseOthers(RoutesConfig server, String path, Set<String> known) {
    String allow = String.join(", ", known);
    for (String method : METHODS) {
      if (!known.contains(method)) {
        server.addHttpHandler(
            HandlerType.findOrCreate(method),
            path,
            ctx -> {
              ctx.header("Allow", allow);
              throw new ApiException(
                  405,
                  "METHOD_NOT_ALLOWED",
                  "%s knows %s, not %s".formatted(path, allow, method),
                  null);
            });
      }
    }
    if (crossOrigin.allowsAny()) {
      server.options(path, ctx -> ctx.status(204).header("Allow", allow));
    }
  }
}
