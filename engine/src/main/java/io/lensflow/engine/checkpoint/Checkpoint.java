package io.lensflow.engine.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.engine.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * A checkpoint folder, open for reading: configuration and tensors, whether in one {@code
 * model.safetensors} or in shards that {@code model.safetensors.index.json} lists.
 *
 * <p>Thread-safe.
 */
public final class Checkpoint implements AutoCloseable {
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";
  private static final int REVISION_BYTES = 16;

  private final Path folder;
  private final CheckpointConfig config;
  private final List<SafetensorsFile> files;
  private final Map<String, SafetensorsFile> fileOfTensor;
  private final String revision;

  private Checkpoint(
      Path folder,
      CheckpointConfig config,
      List<SafetensorsFile> files,
      Map<String, SafetensorsFile> fileOfTensor,
      String revision) {
    this.folder = folder;
    this.config = config;
    this.files = files;
    this.fileOfTensor = fileOfTensor;
    this.revision = revision;
  }

  /**
   * Opens a folder, reads its configuration and checks the headers of all its safetensors files.
   *
   * @throws CheckpointException if something is missing, broken or not supported
   */
  public static Checkpoint open(Path folder) throws IOException {
    CheckpointConfig config = ConfigReader.read(folder);
    List<SafetensorsFile> files = new ArrayList<>();
    try {
      Map<String, SafetensorsFile> fileOfTensor = new HashMap<>();
      if (Files.exists(folder.resolve(INDEX))) {
        openShards(folder, files, fileOfTensor);
      } else if (Files.exists(folder.resolve(SINGLE))) {
        SafetensorsFile file = SafetensorsFile.open(folder.resolve(SINGLE));
        files.add(file);
        file.tensors().forEach(tensor -> fileOfTensor.put(tensor.name(), file));
      } else {
        throw new CheckpointException(
            "%s: neither %s nor %s; only safetensors checkpoints are read"
                .formatted(folder.toAbsolutePath(), SINGLE, INDEX));
      }
      return new Checkpoint(folder, config, files, fileOfTensor, revision(folder, files));
    } catch (IOException | RuntimeException e) {
      for (SafetensorsFile file : files) {
        file.close();
      }
      throw e;
    }
  }

  private static void openShards(
      Path folder, List<SafetensorsFile> files, Map<String, SafetensorsFile> fileOfTensor)
      throws IOException {
    Path index = folder.resolve(INDEX);
    JsonNode weightMap;
    try {
      weightMap = new ObjectMapper().readTree(Files.readAllBytes(index)).path("weight_map");
    } catch (JsonProcessingException e) {
      throw new CheckpointException(
          index.toAbsolutePath() + ": not JSON: " + e.getOriginalMessage(), e);
    }
    if (!weightMap.isObject() || weightMap.isEmpty()) {
      throw new CheckpointException(index.toAbsolutePath() + ": no weight_map");
    }
    TreeSet<String> names = new TreeSet<>();
    weightMap.forEach(name -> names.add(name.asText()));
    Map<String, SafetensorsFile> byName = new LinkedHashMap<>();
    for (String name : names) {
      if (name.isEmpty() || !Path.of(name).equals(Path.of(name).getFileName())) {
        throw new CheckpointException(
            "%s: weight_map names '%s', which is not a file of this folder"
                .formatted(index.toAbsolutePath(), name));
      }
      SafetensorsFile file = SafetensorsFile.open(folder.resolve(name));
      files.add(file);
      byName.put(name, file);
    }
    for (Map.Entry<String, JsonNode> entry : weightMap.properties()) {
      SafetensorsFile file = byName.get(entry.getValue().asText());
      file.tensor(entry.getKey());
      fileOfTensor.put(entry.getKey(), file);
    }
  }

  private static String revision(Path folder, List<SafetensorsFile> files) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(Files.readAllBytes(folder.resolve(ConfigReader.CONFIG)));
      for (SafetensorsFile file : files) {
        digest.update(file.headerBytes());
      }
      return HexFormat.of().formatHex(digest.digest(), 0, REVISION_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  /** The folder. */
  public Path folder() {
    return folder;
  }

  /** What {@code config.json} and {@code generation_config.json} say. */
  public CheckpointConfig config() {
    return config;
  }

  /**
   * Hex of a hash over the configuration and the safetensors headers, files in order of their
   * names. It does not read the weights: it tells checkpoints apart, it does not vouch for their
   * content.
   */
  public String revision() {
    return revision;
  }

  private SafetensorsFile file(String tensor) throws CheckpointException {
    SafetensorsFile file = fileOfTensor.get(tensor);
    if (file == null) {
      throw new CheckpointException(
          "%s: tensor %s is missing, which a %s needs"
              .formatted(folder.toAbsolutePath(), tensor, config.model().architecture()));
    }
    return file;
  }

  /**
   * A tensor's description, its shape checked.
   *
   * @throws CheckpointException if it is missing or has another shape
   */
  public TensorInfo tensor(String name, long... shape) throws CheckpointException {
    SafetensorsFile file = file(name);
    TensorInfo info = file.tensor(name);
    List<Long> expected = java.util.Arrays.stream(shape).boxed().toList();
    if (!info.shape().equals(expected)) {
      throw new CheckpointException(
          "%s: tensor %s has shape %s; config.json makes it %s"
              .formatted(file.path().toAbsolutePath(), name, info.shape(), expected));
    }
    return info;
  }

  /**
   * The element type in which a tensor is stored.
   *
   * @throws CheckpointException if the tensor is missing or of a type that is not supported
   */
  public DType storedType(String name) throws CheckpointException {
    SafetensorsFile file = file(name);
    String stored = file.tensor(name).dtype();
    for (DType dtype : DType.values()) {
      if (dtype.safetensorsName().equals(stored)) {
        return dtype;
      }
    }
    throw new CheckpointException(
        "%s: tensor %s is stored as %s; supported: F32, F16, BF16"
            .formatted(file.path().toAbsolutePath(), name, stored));
  }

  /** Fills {@code target} with a tensor's bytes, from its byte {@code offset} on. */
  public void read(TensorInfo tensor, long offset, ByteBuffer target) throws IOException {
    fileOfTensor.get(tensor.name()).read(tensor, offset, target);
  }

  /** Bytes of all tensors. */
  public long weightBytes() {
    return files.stream()
        .flatMap(file -> file.tensors().stream())
        .mapToLong(TensorInfo::byteCount)
        .sum();
  }

  @Override
  public void close() throws IOException {
    for (SafetensorsFile file : files) {
      file.close();
    }
  }
}
