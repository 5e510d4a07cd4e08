package io.lensflow.steering.http;

import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import io.lensflow.steering.topics.SiteReader;
import io.lensflow.steering.vector.Change;
import io.lensflow.steering.vector.NamedVector;
import io.lensflow.steering.vector.Names;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.StoredSite;
import io.lensflow.steering.vector.StoredVersion;
import io.lensflow.steering.vector.VectorBook;
import io.lensflow.steering.vector.VectorChanges;
import io.lensflow.steering.vector.VectorDraft;
import io.lensflow.steering.vector.VectorId;
import io.lensflow.steering.worker.LiveWorkers;
import io.lensflow.steering.worker.Verdict;
import io.lensflow.steering.writer.Writer;
import io.lensflow.steering.writer.Written;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Vectors, their versions and aliases over HTTP. Thread-safe.
 *
 * <p>{@code {model}} is the model's served name, or what the topics make of it where a path cannot
 * hold the name.
 */
final class VectorRoutes {
  static final String VECTORS = "/v1/models/{model}/vectors";
  static final String VECTOR = VECTORS + "/{name}";
  static final String VERSION = VECTOR + "/versions/{version}";
  private static final String ALIAS = VECTOR + "/aliases/{alias}";

  private final VectorBook book;
  private final VectorChanges changes;
  private final LiveWorkers workers;
  private final SiteReader sites;
  private final Writer writer;
  private final Publishing publishing;
  private final WaitingCallers waiting;
  private final Bodies bodies;
  private final RequestParts parts;

  VectorRoutes(
      VectorBook book,
      VectorChanges changes,
      LiveWorkers workers,
      SiteReader sites,
      Writer writer,
      Publishing publishing,
      WaitingCallers waiting,
      Bodies bodies) {
    this.book = book;
    this.changes = changes;
    this.workers = workers;
    this.sites = sites;
    this.writer = writer;
    this.publishing = publishing;
    this.waiting = waiting;
    this.bodies = bodies;
    this.parts = new RequestParts(book, workers);
  }

  List<Route> routes() {
    return List.of(
        Route.read(HandlerType.GET, VECTORS, this::list),
        Route.read(HandlerType.GET, VECTOR, this::history),
        Route.read(HandlerType.GET, VERSION, this::version),
        Route.read(HandlerType.GET, VECTOR + "/status", this::status),
        Route.write(HandlerType.POST, VECTOR, this::publish),
        Route.write(HandlerType.POST, VECTOR + "/rollback", this::rollback),
        Route.write(HandlerType.DELETE, VECTOR, this::deleteAll),
        Route.write(HandlerType.DELETE, VERSION, this::deleteVersion),
        Route.write(HandlerType.PUT, ALIAS, this::setAlias),
        Route.write(HandlerType.DELETE, ALIAS, this::deleteAlias));
  }

  private void list(Context ctx) {
    String model = parts.model(ctx);
    boolean ofJobs = Boolean.parseBoolean(ctx.queryParam("ofJobs"));
    ctx.json(
        Answers.list(
            model,
            book.ofModel(model).stream()
                .filter(vector -> ofJobs || !Names.isOfJob(vector.id().name()))
                .toList()));
  }

  private void history(Context ctx) {
    ctx.json(Answers.history(parts.existing(ctx)));
  }

  private void version(Context ctx) {
    NamedVector vector = parts.existing(ctx);
    StoredVersion version = RequestParts.version(ctx, vector);
    boolean withValues = Boolean.parseBoolean(ctx.queryParam("values"));
    Map<StoredSite, float[]> values = withValues ? sites.read(version.sites()) : Map.of();
    ctx.json(Answers.version(vector, version, values));
  }

  private void status(Context ctx) {
    NamedVector vector = parts.existing(ctx);
    ctx.json(Answers.status(vector, workers.of(vector.id().model())));
  }

  private void publish(Context ctx) throws IOException {
    Origin origin = RequestParts.origin(ctx);
    VectorDraft draft = bodies.read(ctx, PublishBody.class).toDraft(origin.actor());
    Origin who = origin.actor().isEmpty() ? Origin.http(draft.author()) : origin;
    publishing.publish(ctx, parts.vectorId(ctx), draft, who);
  }

  private void rollback(Context ctx) throws IOException {
    RollbackBody body = bodies.read(ctx, RollbackBody.class);
    NamedVector vector = parts.existing(ctx);
    if (body.alias() == null || body.alias().equals(Names.LATEST)) {
      republish(ctx, vector, body);
      return;
    }
    Origin origin = RequestParts.origin(ctx);
    moveAlias(
        ctx,
        vector.id(),
        body.alias(),
        () ->
            body.to() == null
                ? changes.rollbackAlias(vector.id(), body.alias(), body.expectedVersion(), origin)
                : changes.setAlias(
                    vector.id(), body.alias(), body.to(), body.expectedVersion(), origin));
  }

  /** Versions never change, so that {@code latest} goes back by a new one with the old content. */
  private void republish(Context ctx, NamedVector vector, RollbackBody body) {
    int latest = vector.latest();
    if (body.expectedVersion() != null && body.expectedVersion() != latest) {
      throw RefusedException.outdated(body.expectedVersion(), latest);
    }
    Integer before = new TreeMap<>(vector.versions()).lowerKey(latest);
    if (body.to() == null && before == null) {
      throw RefusedException.conflict(
          "NOTHING_TO_ROLL_BACK_TO", "to", "there is no version before %d".formatted(latest));
    }
    StoredVersion old = vector.version(body.to() == null ? before : body.to());
    VectorDraft draft =
        VectorDraft.of(
            old.manifest(),
            sites.drafts(old),
            List.of(vector.id().name() + "@" + old.version()),
            latest);
    publishing.publish(ctx, vector.id(), draft, RequestParts.origin(ctx));
  }

  private void deleteAll(Context ctx) {
    VectorId id = parts.vectorId(ctx);
    Integer expected = RequestParts.expectedVersion(ctx);
    Origin origin = RequestParts.origin(ctx);
    deleted(ctx, id, writer.write(() -> changes.retireAll(id, expected, origin)).change());
  }

  private void deleteVersion(Context ctx) {
    VectorId id = parts.vectorId(ctx);
    int version = RequestParts.number("version", ctx.pathParam("version"));
    Origin origin = RequestParts.origin(ctx);
    deleted(ctx, id, writer.write(() -> changes.retire(id, version, origin)).change());
  }

  private void deleted(Context ctx, VectorId id, Change change) {
    ctx.json(
        Answers.object(
            "model", id.model(),
            "name", id.name(),
            "deleted", change.versions(),
            "latest", book.find(id).latest()));
  }

  private void setAlias(Context ctx) throws IOException {
    VectorId id = parts.vectorId(ctx);
    String alias = ctx.pathParam("alias");
    AliasBody body = bodies.read(ctx, AliasBody.class);
    if (body.version() == null) {
      throw RefusedException.invalid("version", "must be set to the version to point at");
    }
    Origin origin = RequestParts.origin(ctx);
    moveAlias(
        ctx,
        id,
        alias,
        () -> changes.setAlias(id, alias, body.version(), body.expectedVersion(), origin));
  }

  private void moveAlias(Context ctx, VectorId id, String alias, Supplier<Change> plan) {
    try (WaitingCallers.Waiting wait = waiting.begin(ctx, id.model())) {
      Written written = writer.write(plan);
      int version = written.change().versions().get(0);
      Map<String, Object> answer =
          Answers.object(
              "model", id.model(),
              "name", id.name(),
              "alias", alias,
              "version", version,
              "previous", book.find(id).previousOf(alias));
      wait.report(answer, Verdict.onAlias(id.name(), version, written.next()));
      ctx.json(answer);
    }
  }

  private void deleteAlias(Context ctx) {
    VectorId id = parts.vectorId(ctx);
    String alias = ctx.pathParam("alias");
    Integer expected = RequestParts.expectedVersion(ctx);
    Origin origin = RequestParts.origin(ctx);
    Change change = writer.write(() -> changes.deleteAlias(id, alias, expected, origin)).change();
    ctx.json(
        Answers.object(
            "model", id.model(),
            "name", id.name(),
            "alias", alias,
            "previous", change.versions().get(0)));
  }
}
