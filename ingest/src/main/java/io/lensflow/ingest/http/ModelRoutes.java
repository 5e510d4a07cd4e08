package io.lensflow.ingest.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.lensflow.client.ModelDirectory;
import io.lensflow.client.ServedModel;
import io.lensflow.records.RefusedVector;
import io.lensflow.records.VectorVersion;
import io.lensflow.records.WorkerHeartbeat;
import java.util.List;
import java.util.Set;

/** {@code /v1/models}: what live workers serve. Thread-safe. */
public final class ModelRoutes {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ModelDirectory models;

  public ModelRoutes(ModelDirectory models) {
    this.models = models;
  }

  List<Route> routes() {
    return List.of(new Route("GET", "/v1/models", this::list));
  }

  private void list(Context ctx) {
    Parameters.refuseOthers(ctx, Set.of());
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode list = answer.putArray("models");
    models.models().forEach(model -> describe(model, list.addObject()));
    RequestRoutes.json(ctx, answer);
  }

  private static void describe(ServedModel model, ObjectNode node) {
    node.put("name", model.name()).put("revision", model.revision());
    node.put("layers", model.layers()).put("hiddenSize", model.hiddenSize());
    node.put("vocabularySize", model.vocabularySize()).put("maxContext", model.maxContext());
    node.put("tokenizerHash", model.tokenizerHash()).put("requestTopic", model.requestTopic());
    node.put("slots", model.workers().stream().mapToInt(WorkerHeartbeat::getSlots).sum());
    node.put("free", model.workers().stream().mapToInt(WorkerHeartbeat::getFree).sum());
    ArrayNode workers = node.putArray("workers");
    model.workers().forEach(worker -> describe(worker, workers.addObject()));
  }

  private static void describe(WorkerHeartbeat worker, ObjectNode node) {
    node.put("worker", worker.getWorker()).put("incarnation", worker.getIncarnation());
    node.put("startedAt", worker.getStartedAt().toString()).put("device", worker.getDevice());
    node.put("dtype", worker.getDtype().name()).put("ranks", worker.getRanks());
    node.put("slots", worker.getSlots()).put("free", worker.getFree());
    ArrayNode vectors = node.putArray("vectors");
    for (VectorVersion vector : worker.getVectors()) {
      vectors.addObject().put("name", vector.getName()).put("version", vector.getVersion());
    }
    ArrayNode refused = node.putArray("refused");
    for (RefusedVector vector : worker.getRefused()) {
      refused
          .addObject()
          .put("name", vector.getName())
          .put("version", vector.getVersion())
          .put("reason", vector.getReason());
    }
  }
}
