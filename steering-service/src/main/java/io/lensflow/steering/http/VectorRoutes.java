package io.lensflow.steering.http;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.Handler;
import io.javalin.http.HandlerType;
import io.lensflow.schemas.registry.SchemaRegistryException;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.OpsServer;
import io.lensflow.steering.topics.SiteReader;
import io.lensflow.steering.vector.Change;
import io.lensflow.steering.vector.NamedVector;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.StoredSite;
import io.lensflow.steering.vector.StoredVersion;
import io.lensflow.steering.vector.VectorBook;
import io.lensflow.steering.vector.VectorChanges;
import io.lensflow.steering.vector.VectorDraft;
import io.lensflow.steering.vector.VectorId;
import io.lensflow.steering.worker.LiveWorkers;
import io.lensflow.steering.writer.Writer;
import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RecordTooLargeException;

/**
 * The HTTP API of vectors. Reads are served by every instance, writes by the writer. Thread-safe.
 *
 * <p>{@code {model}} is the model's served name, or what the topics make of it where a path cannot
 * hold the name.
 */
public final class VectorRoutes {
  private static final String VECTORS = "/v1/models/{model}/vectors";
  private static final String VECTOR = VECTORS + "/{name}";
  private static final String VERSION = VECTOR + "/versions/{version}";
  private static final String ALIAS = VECTOR + "/aliases/{alias}";

  /** Who asks, for the audit topic; there is no authentication behind it. */
  private static final String ACTOR = "Lensflow-Actor";

  private final VectorBook book;
  private final VectorChanges changes;
  private final LiveWorkers workers;
  private final SiteReader sites;
  private final Writer writer;
  private final Bodies bodies;

  /** A method, a path as Javalin writes it, and what serves it. */
  record Route(HandlerType method, String path, boolean writes, Handler handler) {}

  public VectorRoutes(
      VectorBook book,
      VectorChanges changes,
      LiveWorkers workers,
      SiteReader sites,
      Writer writer,
      long maxBodyBytes) {
    this.book = book;
    this.changes = changes;
    this.workers = workers;
    this.sites = sites;
    this.writer = writer;
    this.bodies = new Bodies(maxBodyBytes);
  }

  /** Every route; {@code openapi.json} describes the same, and a test holds the two together. */
  List<Route> routes() {
    return List.of(
        new Route(HandlerType.GET, "/openapi.json", false, VectorRoutes::openApi),
        new Route(HandlerType.GET, VECTORS, false, this::list),
        new Route(HandlerType.GET, VECTOR, false, this::history),
        new Route(HandlerType.GET, VERSION, false, this::version),
        new Route(HandlerType.GET, VECTOR + "/status", false, this::status),
        new Route(HandlerType.POST, VECTOR, true, this::publish),
        new Route(HandlerType.DELETE, VECTOR, true, this::deleteAll),
        new Route(HandlerType.DELETE, VERSION, true, this::deleteVersion),
        new Route(HandlerType.PUT, ALIAS, true, this::setAlias),
        new Route(HandlerType.DELETE, ALIAS, true, this::deleteAlias));
  }

  /** Adds the routes to a server. */
  public void register(RoutesConfig config, WriterGate gate) {
    config.exception(RefusedException.class, VectorRoutes::refuse);
    config.exception(
        SchemaRegistryException.class,
        (e, ctx) -> OpsServer.error(ctx, 503, "REGISTRY_UNAVAILABLE", e.getMessage(), null));
    config.exception(
        KafkaException.class,
        (e, ctx) -> OpsServer.error(ctx, 503, "KAFKA_UNAVAILABLE", e.getMessage(), null));
    config.exception(
        TimeoutException.class,
        (e, ctx) -> OpsServer.error(ctx, 503, "KAFKA_UNAVAILABLE", e.getMessage(), null));
    config.exception(
        RecordTooLargeException.class,
        (e, ctx) -> OpsServer.error(ctx, 413, "TOO_LARGE", e.getMessage(), "values"));
    for (Route route : routes()) {
      Handler handler = route.writes() ? gate.guard(route.handler()) : route.handler();
      config.addHttpHandler(route.method(), route.path(), handler);
    }
  }

  private void list(Context ctx) {
    String model = model(ctx);
    ctx.json(Answers.list(model, book.ofModel(model)));
  }

  private void history(Context ctx) {
    ctx.json(Answers.history(existing(ctx)));
  }

  private void version(Context ctx) throws Exception {
    NamedVector vector = existing(ctx);
    StoredVersion version = vector.version(versionOf(ctx, vector));
    boolean withValues = Boolean.parseBoolean(ctx.queryParam("values"));
    Map<StoredSite, float[]> values = withValues ? sites.read(version.sites()) : Map.of();
    ctx.json(Answers.version(vector, version, values));
  }

  private void status(Context ctx) {
    NamedVector vector = existing(ctx);
    ctx.json(Answers.status(vector, workers.of(vector.id().model())));
  }

  private void publish(Context ctx) throws IOException {
    VectorId id = id(ctx);
    Origin origin = origin(ctx);
    VectorDraft draft = bodies.read(ctx, PublishBody.class).toDraft(origin.actor());
    Origin who = origin.actor().isEmpty() ? Origin.http(draft.author()) : origin;
    Change change = writer.write(() -> changes.publish(id, draft, who));
    int version = change.versions().get(0);
    NamedVector vector = book.find(id);
    StoredVersion stored = vector.versions().get(version);
    // It can be missing: deleted since, or written so slowly that it is not read back yet.
    Map<String, Object> answer =
        stored == null
            ? Answers.object("model", id.model(), "name", id.name(), "version", version)
            : Answers.version(vector, stored, Map.of());
    answer.put("warnings", change.warnings());
    String location = ctx.req().getRequestURI() + "/versions/" + version;
    ctx.status(201).header("Location", location).json(answer);
  }

  private void deleteAll(Context ctx) {
    VectorId id = id(ctx);
    deleted(ctx, writer.write(() -> changes.retireAll(id, origin(ctx))));
  }

  private void deleteVersion(Context ctx) {
    VectorId id = id(ctx);
    int version = number(ctx.pathParam("version"));
    deleted(ctx, writer.write(() -> changes.retire(id, version, origin(ctx))));
  }

  private void deleted(Context ctx, Change change) {
    ctx.json(
        Answers.object(
            "model", change.vector().model(),
            "name", change.vector().name(),
            "deleted", change.versions(),
            "latest", book.find(change.vector()).latest()));
  }

  private void setAlias(Context ctx) throws IOException {
    VectorId id = id(ctx);
    String alias = ctx.pathParam("alias");
    AliasBody body = bodies.read(ctx, AliasBody.class);
    if (body.version() == null) {
      throw RefusedException.invalid("version", "must be set to the version to point at");
    }
    writer.write(
        () -> changes.setAlias(id, alias, body.version(), body.expectedVersion(), origin(ctx)));
    ctx.json(
        Answers.object(
            "model", id.model(), "name", id.name(), "alias", alias, "version", body.version()));
  }

  private void deleteAlias(Context ctx) {
    VectorId id = id(ctx);
    String alias = ctx.pathParam("alias");
    Change change = writer.write(() -> changes.deleteAlias(id, alias, origin(ctx)));
    ctx.json(
        Answers.object(
            "model", id.model(),
            "name", id.name(),
            "alias", alias,
            "previous", change.versions().get(0)));
  }

  private NamedVector existing(Context ctx) {
    return book.find(id(ctx)).existing();
  }

  private VectorId id(Context ctx) {
    return new VectorId(model(ctx), ctx.pathParam("name"));
  }

  /** A served name that is known wins over one that is the topic-safe form of a known one. */
  private String model(Context ctx) {
    String given = ctx.pathParam("model");
    List<String> known = Stream.concat(workers.models().stream(), book.models().stream()).toList();
    return known.contains(given)
        ? given
        : known.stream()
            .filter(model -> TopicCatalogue.topicSafe(model).equals(given))
            .findFirst()
            .orElse(given);
  }

  /** A version by its number, or by an alias. */
  private static int versionOf(Context ctx, NamedVector vector) {
    String version = ctx.pathParam("version");
    Integer aliased = vector.aliases().get(version);
    return aliased == null ? number(version) : aliased;
  }

  private static int number(String version) {
    try {
      return Integer.parseInt(version);
    } catch (NumberFormatException e) {
      throw RefusedException.unknown("version", "there is no version '%s'".formatted(version));
    }
  }

  private static Origin origin(Context ctx) {
    String actor = ctx.header(ACTOR);
    return Origin.http(actor == null ? "" : actor);
  }

  private static void refuse(RefusedException e, Context ctx) {
    int status =
        switch (e.reason()) {
          case INVALID -> 400;
          case UNKNOWN -> 404;
          case CONFLICT -> 409;
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
    try (InputStream in = VectorRoutes.class.getResourceAsStream("/openapi-steering.json")) {
      ctx.contentType("application/json").result(in.readAllBytes());
    }
  }
}
