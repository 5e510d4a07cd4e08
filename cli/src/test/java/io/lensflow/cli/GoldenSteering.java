package io.lensflow.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.cli.steering.SteeringApi;
import io.lensflow.cli.system.LocalSystem;
import io.lensflow.cli.system.SystemPlan;
import io.lensflow.engine.checkpoint.SafetensorsFile;
import io.lensflow.engine.checkpoint.VectorReader;
import io.lensflow.testkit.SharedData;
import io.lensflow.testkit.SmolLm2;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/**
 * A whole system that serves a real model in float32, and what transformers and numpy found of its
 * steering.
 */
final class GoldenSteering implements AutoCloseable {
  /** Served name of the model. */
  static final String MODEL = "smollm2";

  private final Path fixture = SharedData.folder("fixtures/smollm2-135m-instruct");
  private final LocalSystem system;

  private GoldenSteering(LocalSystem system) {
    this.system = system;
  }

  /**
   * Starts the system.
   *
   * @param folder for what it stores
   */
  static GoldenSteering start(Path folder) throws Exception {
    GoldenSteering golden =
        new GoldenSteering(
            new LocalSystem(
                SystemPlan.embedded(SmolLm2.folder(), MODEL, "float32", folder, Map.of()),
                line -> {}));
    golden.system.start();
    return golden;
  }

  /** The steering service. */
  SteeringApi api() {
    return new SteeringApi(system.steeringUri());
  }

  /** The entry of {@code steerability} for a data set and a hook point. */
  JsonNode reference(String dataset, String hook) throws IOException {
    for (JsonNode entry :
        new ObjectMapper().readTree(fixture.resolve("golden.json").toFile()).path("steerability")) {
      if (entry.path("dataset").asText().equals(dataset)
          && entry.path("hook").asText().equals(hook)) {
        return entry;
      }
    }
    throw new AssertionError("no reference of " + dataset + " at " + hook);
  }

  /**
   * The vector of an entry.
   *
   * @param kind {@code label}, {@code none} or {@code pca}
   */
  float[] vector(String kind, JsonNode reference) throws IOException {
    String name =
        "vector.%s.%s.%s.%d"
            .formatted(
                kind,
                reference.path("dataset").asText(),
                reference.path("hook").asText().toLowerCase(Locale.ROOT),
                reference.path("layer").asInt());
    try (SafetensorsFile file = SafetensorsFile.open(fixture.resolve("golden.safetensors"))) {
      return VectorReader.read(file, name);
    }
  }

  @Override
  public void close() {
    system.close();
  }
}
