package io.lensflow.worker;

import io.lensflow.service.KafkaSettings;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Makes workers for tests. */
final class Workers {
  private Workers() {}

  /**
   * Settings of a worker for tests.
   *
   * @param changes settings under {@code lensflow.worker.}
   */
  static WorkerSettings settings(String name, Path model, Map<String, ?> changes) {
    Map<String, Object> overrides = new HashMap<>();
    overrides.put("lensflow.worker.name", name);
    overrides.put("lensflow.worker.model", model.toString());
    overrides.put("lensflow.worker.slots", 4);
    overrides.put("lensflow.worker.http.port", 0);
    overrides.put("lensflow.worker.restart.min-backoff", "50ms");
    changes.forEach((key, value) -> overrides.put("lensflow.worker." + key, value));
    return WorkerSettings.load(overrides);
  }

  /** A worker with a scripted engine, served as {@code scripted}. */
  static WorkerService scripted(
      String name, ScriptedEngine.Script script, KafkaSettings kafka, Map<String, ?> changes) {
    Map<String, Object> all = new HashMap<>(changes);
    all.putIfAbsent("served-name", "scripted");
    return WorkerService.start(
        settings(name, ScriptedEngine.modelFolder(), all),
        kafka,
        () -> new ScriptedEngine(script),
        cause -> {
          throw new AssertionError("the worker was lost", cause);
        });
  }
}
