package io.lensflow.engine.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * {@code model.safetensors.index.json}: which file holds which tensor.
 *
 * @param file the index
 * @param shardOfTensor names of files that lie in the index's own folder, by name of tensor
 */
record ShardIndex(Path file, Map<String, String> shardOfTensor) {
  static ShardIndex read(Path file) throws CheckpointException {
    JsonNode weightMap = JsonFile.read(file).path("weight_map");
    if (!weightMap.isObject() || weightMap.isEmpty()) {
      throw new CheckpointException(file.toAbsolutePath() + ": no weight_map");
    }
    Map<String, String> shardOfTensor = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : weightMap.properties()) {
      String shard = entry.getValue().isTextual() ? entry.getValue().textValue() : "";
      if (!isPlainName(shard)) {
        throw new CheckpointException(
            "%s: weight_map names %s, which is not a file of this folder"
                .formatted(file.toAbsolutePath(), entry.getValue()));
      }
      shardOfTensor.put(entry.getKey(), shard);
    }
    return new ShardIndex(file, shardOfTensor);
  }

  /** Shards are safetensors files beside the index: no path, no drive, no parent. */
  private static boolean isPlainName(String name) {
    return name.endsWith(".safetensors")
        && name.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ');
  }

  /** The shards' names, each once, sorted. */
  SortedSet<String> shards() {
    return new TreeSet<>(shardOfTensor.values());
  }
}
