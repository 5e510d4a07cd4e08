package io.lensflow.steering.http;

import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.steering.worker.LiveWorkers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The models that live workers serve. Thread-safe. */
final class ModelRoutes {
  private final LiveWorkers workers;

  ModelRoutes(LiveWorkers workers) {
    this.workers = workers;
  }

  List<Route> routes() {
    return List.of(Route.read(HandlerType.GET, "/v1/models", this::list));
  }

  private void list(Context ctx) {
    List<Map<String, Object>> models = new ArrayList<>();
    for (String name : workers.models()) {
      List<WorkerHeartbeat> serving = workers.of(name);
      if (!serving.isEmpty()) {
        WorkerHeartbeat first = serving.get(0);
        models.add(
            Answers.object(
                "name", name,
                "revision", first.getRevision(),
                "layers", first.getLayers(),
                "hiddenSize", first.getHiddenSize(),
                "workers", serving.stream().map(WorkerHeartbeat::getWorker).toList()));
      }
    }
    ctx.json(Answers.object("models", models));
  }
}
