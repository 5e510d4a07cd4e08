package io.lensflow.steering.http;

import io.lensflow.records.RefusedVector;
import io.lensflow.records.VectorManifest;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.steering.vector.NamedVector;
import io.lensflow.steering.vector.StoredSite;
import io.lensflow.steering.vector.StoredVersion;
import io.lensflow.steering.worker.Rollout;
import io.lensflow.steering.worker.Verdict;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Answers as JSON objects; field by field what {@code openapi.json} describes. Stateless. */
final class Answers {
  private Answers() {}

  /** All vectors of a model. */
  static Map<String, Object> list(String model, List<NamedVector> vectors) {
    return object("model", model, "vectors", vectors.stream().map(Answers::summary).toList());
  }

  private static Map<String, Object> summary(NamedVector vector) {
    return object(
        "name", vector.id().name(),
        "latest", vector.latest(),
        "aliases", new TreeMap<>(vector.aliases()),
        "versions", vector.versions().keySet());
  }

  /** One vector with all its versions, the newest first. */
  static Map<String, Object> history(NamedVector vector) {
    Map<String, Object> answer = object("model", vector.id().model());
    answer.putAll(summary(vector));
    answer.put(
        "versions",
        vector.versions().descendingMap().values().stream()
            .map(v -> manifest(v, Map.of()))
            .toList());
    return answer;
  }

  /** One version. */
  static Map<String, Object> version(
      NamedVector vector, StoredVersion version, Map<StoredSite, float[]> values) {
    Map<String, Object> answer = object("model", vector.id().model(), "name", vector.id().name());
    answer.putAll(manifest(version, values));
    return answer;
  }

  private static Map<String, Object> manifest(
      StoredVersion version, Map<StoredSite, float[]> values) {
    VectorManifest manifest = version.manifest();
    return object(
        "version", version.version(),
        "createdAt", version.createdAt().toString(),
        "revision", manifest.getRevision(),
        "hiddenSize", manifest.getHiddenSize(),
        "operation", manifest.getOperation().name(),
        "positions", manifest.getPositions(),
        "preserveNorm", manifest.getPreserveNorm(),
        "method", manifest.getMethod(),
        "dataset", manifest.getDataset(),
        "datasetHash", manifest.getDatasetHash(),
        "pairCount", manifest.getPairCount(),
        "items", manifest.getItems(),
        "chosenBy", manifest.getChosenBy(),
        "balance", manifest.getBalance(),
        "labelShare", manifest.getLabelShare(),
        "author", manifest.getAuthor(),
        "description", manifest.getDescription(),
        "sources", manifest.getSources(),
        "sites", version.sites().stream().map(site -> site(site, values.get(site))).toList());
  }

  private static Map<String, Object> site(StoredSite site, float[] values) {
    Map<String, Object> answer =
        object(
            "layer", site.layer(),
            "hookPoint", site.hookPoint().name(),
            "norm", site.norm(),
            "crc32c", site.crc32c());
    if (values != null) {
      answer.put("values", values);
    }
    return answer;
  }

  /** Which live workers have loaded or refused which version. */
  static Map<String, Object> status(NamedVector vector, List<WorkerHeartbeat> workers) {
    String name = vector.id().name();
    List<Map<String, Object>> states = new ArrayList<>();
    for (WorkerHeartbeat worker : workers) {
      Map<String, String> refused = new TreeMap<>();
      for (RefusedVector vectorRefused : worker.getRefused()) {
        if (vectorRefused.getName().equals(name)) {
          refused.put(Integer.toString(vectorRefused.getVersion()), vectorRefused.getReason());
        }
      }
      List<Integer> applied =
          worker.getVectors().stream()
              .filter(loaded -> loaded.getName().equals(name))
              .map(loaded -> loaded.getVersion())
              .sorted()
              .toList();
      List<Integer> pending =
          vector.versions().keySet().stream()
              .filter(v -> !applied.contains(v) && !refused.containsKey(Integer.toString(v)))
              .toList();
      states.add(
          object(
              "worker", worker.getWorker(),
              "applied", applied,
              "refused", refused,
              "pending", pending));
    }
    return object(
        "model", vector.id().model(), "name", name, "latest", vector.latest(), "workers", states);
  }

  /** Waits for workers, and says what they made of a change. */
  static Map<String, Object> rollout(Rollout rollout, Verdict verdict, Duration timeout) {
    List<Rollout.Outcome> outcomes = rollout.await(verdict, timeout);
    List<Map<String, Object>> workers = new ArrayList<>();
    for (Rollout.Outcome outcome : outcomes) {
      workers.add(
          object(
              "worker", outcome.worker(),
              "state", outcome.state().name(),
              "reason", outcome.reason(),
              "afterMillis", outcome.after() == null ? null : outcome.after().toNanos() / 1e6));
    }
    return object(
        "complete",
        outcomes.stream().noneMatch(outcome -> outcome.state() == Rollout.State.PENDING),
        "millis",
        rollout.elapsed().toNanos() / 1e6,
        "workers",
        workers);
  }

  /** A text as a segment of a path. */
  static String segment(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** An object with its fields in the given order: name, value, name, value, … */
  static Map<String, Object> object(Object... namesAndValues) {
    Map<String, Object> object = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      object.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return object;
  }
}
