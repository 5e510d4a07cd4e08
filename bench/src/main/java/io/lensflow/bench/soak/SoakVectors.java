package io.lensflow.bench.soak;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.steering.SteeringApi;
import io.lensflow.cli.steering.VectorFile;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.service.KafkaSettings;
import io.lensflow.steering.SteeringService;
import io.lensflow.steering.SteeringSettings;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Two vectors drawn from the seed, one with one site and one with two. Immutable. */
final class SoakVectors {
  private static final Duration WRITER_LIMIT = Duration.ofMinutes(1);
  private static final double LENGTH = 1.0;

  private record Site(String name, int layer, HookPoint hookPoint, float[] values) {}

  private final List<Site> sites;

  private SoakVectors(List<Site> sites) {
    this.sites = List.copyOf(sites);
  }

  /**
   * Draws them.
   *
   * @param layers L
   * @param hiddenSize D
   */
  static SoakVectors of(long seed, int layers, int hiddenSize) {
    Random random = new Random(~seed);
    return new SoakVectors(
        List.of(
            new Site("one-site", layers / 2, HookPoint.ATTENTION_INPUT, draw(random, hiddenSize)),
            new Site("two-sites", 0, HookPoint.RESIDUAL_POST, draw(random, hiddenSize)),
            new Site("two-sites", layers - 1, HookPoint.MLP_OUTPUT, draw(random, hiddenSize))));
  }

  private static float[] draw(Random random, int hiddenSize) {
    float[] values = new float[hiddenSize];
    for (int i = 0; i < hiddenSize; i++) {
      values[i] = (float) (random.nextGaussian() * LENGTH / Math.sqrt(hiddenSize));
    }
    return values;
  }

  /** Their names. */
  List<String> names() {
    return sites.stream().map(Site::name).distinct().toList();
  }

  /**
   * The values at a site.
   *
   * @throws IllegalArgumentException if no vector has it
   */
  float[] values(String name, int layer, HookPoint hookPoint) {
    return sites.stream()
        .filter(s -> s.name().equals(name) && s.layer() == layer && s.hookPoint() == hookPoint)
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("%s at %s %d".formatted(name, hookPoint, layer)))
        .values();
  }

  /** Publishes them as first versions, through a steering service that runs only for that. */
  void publish(KafkaSettings kafka, String model) throws Exception {
    Map<String, Object> own =
        Map.of("lensflow.steering.host", "127.0.0.1", "lensflow.steering.port", 0);
    try (SteeringService service = SteeringService.start(SteeringSettings.load(own), kafka)) {
      long deadline = System.nanoTime() + WRITER_LIMIT.toNanos();
      while (!service.isWriter()) {
        if (System.nanoTime() > deadline) {
          throw new CommandFailure("the steering service is not the writer after " + WRITER_LIMIT);
        }
        Thread.sleep(50);
      }
      SteeringApi api = new SteeringApi(URI.create("http://127.0.0.1:" + service.port()));
      names().forEach(name -> api.publish(new VectorFile(model, name, body(name))));
    }
  }

  private String body(String name) {
    ObjectNode body = new ObjectMapper().createObjectNode();
    ArrayNode list = body.putArray("sites");
    for (Site site : sites) {
      if (site.name().equals(name)) {
        ObjectNode one = list.addObject();
        one.put("layer", site.layer()).put("hookPoint", site.hookPoint().name());
        ArrayNode values = one.putArray("values");
        for (float value : site.values()) {
          values.add(value);
        }
      }
    }
    return body.toString();
  }
}
