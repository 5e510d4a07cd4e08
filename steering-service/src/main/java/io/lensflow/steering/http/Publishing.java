package io.lensflow.steering.http;

import io.javalin.http.Context;
import io.lensflow.steering.vector.Change;
import io.lensflow.steering.vector.NamedVector;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.StoredVersion;
import io.lensflow.steering.vector.VectorBook;
import io.lensflow.steering.vector.VectorChanges;
import io.lensflow.steering.vector.VectorDraft;
import io.lensflow.steering.vector.VectorId;
import io.lensflow.steering.worker.Verdict;
import io.lensflow.steering.writer.Writer;
import java.util.Map;

/**
 * Publishes drafts, wherever they come from, and answers: 201 with the version, and with what the
 * workers made of it where the query asks to wait. Thread-safe.
 */
final class Publishing {
  private final VectorBook book;
  private final VectorChanges changes;
  private final WaitingCallers waiting;
  private final Writer writer;

  Publishing(VectorBook book, VectorChanges changes, WaitingCallers waiting, Writer writer) {
    this.book = book;
    this.changes = changes;
    this.waiting = waiting;
    this.writer = writer;
  }

  void publish(Context ctx, VectorId id, VectorDraft draft, Origin origin) {
    try (WaitingCallers.Waiting wait = waiting.begin(ctx, id.model())) {
      publish(ctx, id, draft, origin, wait);
    }
  }

  private void publish(
      Context ctx, VectorId id, VectorDraft draft, Origin origin, WaitingCallers.Waiting wait) {
    Change change = writer.write(() -> changes.publish(id, draft, origin)).change();
    int version = change.versions().get(0);
    NamedVector vector = book.find(id);
    StoredVersion stored = vector.versions().get(version);
    // It can be missing: deleted since, or written so slowly that it is not read back yet.
    Map<String, Object> answer =
        stored == null
            ? Answers.object("model", id.model(), "name", id.name(), "version", version)
            : Answers.version(vector, stored, Map.of());
    answer.put("warnings", change.warnings());
    wait.report(answer, Verdict.onVector(id.name(), version));
    String location =
        VectorRoutes.VERSION
            .replace("{model}", Answers.segment(ctx.pathParam("model")))
            .replace("{name}", Answers.segment(id.name()))
            .replace("{version}", Integer.toString(version));
    ctx.status(201).header("Location", location).json(answer);
  }
}
