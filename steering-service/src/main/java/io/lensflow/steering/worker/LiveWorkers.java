package io.lensflow.steering.worker;

import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.steering.vector.ModelShape;
import java.util.List;
import java.util.function.Supplier;

/** The live workers as steering sees them. As thread-safe as the supplier. */
public final class LiveWorkers {
  private final Supplier<List<WorkerHeartbeat>> heartbeats;

  /**
   * @param heartbeats newest heartbeats of all live workers
   */
  public LiveWorkers(Supplier<List<WorkerHeartbeat>> heartbeats) {
    this.heartbeats = heartbeats;
  }

  /** Served names of all models that are served now. */
  public List<String> models() {
    return heartbeats.get().stream().map(WorkerHeartbeat::getModel).distinct().toList();
  }

  /** Heartbeats of the live workers of a model. */
  public List<WorkerHeartbeat> of(String model) {
    return heartbeats.get().stream().filter(worker -> worker.getModel().equals(model)).toList();
  }

  /** Shapes of the model that the live workers of {@code model} run. */
  public List<ModelShape> shapesOf(String model) {
    return of(model).stream()
        .map(
            worker ->
                new ModelShape(
                    worker.getWorker(),
                    worker.getRevision(),
                    worker.getLayers(),
                    worker.getHiddenSize()))
        .toList();
  }
}
