package io.lensflow.engine.checkpoint;

import io.lensflow.engine.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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

  /** What is read before it is checked: small enough to be checked in the processor's cache. */
  private static final int PIECE_BYTES = 1 << 18;

  private static final int STRANGERS_SHOWN = 3;
  private static final Logger log = LoggerFactory.getLogger(Checkpoint.class);

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
   * Opens a folder, reads its configuration and checks the headers of all its safetensors files:
   * that every tensor of the model is there, in its shape and in a type that can be read. No weight
   * is read yet.
   *
   * @throws CheckpointException if something is missing, broken or not supported
   */
  public static Checkpoint open(Path folder) throws IOException {
    CheckpointConfig config = ConfigReader.read(folder);
    List<SafetensorsFile> files = new ArrayList<>();
    try {
      Map<String, SafetensorsFile> fileOfTensor = new HashMap<>();
      // In the order of transformers, should a folder hold both.
      if (Files.exists(folder.resolve(SINGLE))) {
        SafetensorsFile file = SafetensorsFile.open(folder.resolve(SINGLE));
        files.add(file);
        file.tensors().forEach(tensor -> fileOfTensor.put(tensor.name(), file));
      } else if (Files.exists(folder.resolve(INDEX))) {
        openShards(ShardIndex.read(folder.resolve(INDEX)), files, fileOfTensor);
      } else {
        throw new CheckpointException(
            "%s: neither %s nor %s; only safetensors checkpoints are read, never pickled weights"
                .formatted(folder.toAbsolutePath(), SINGLE, INDEX));
      }
      // Like transformers, a head of its own is used even where the configuration ties it.
      if (fileOfTensor.containsKey(TensorLayout.HEAD)) {
        config = config.untied();
      }
      Checkpoint checkpoint =
          new Checkpoint(folder, config, files, fileOfTensor, revision(folder, files));
      checkpoint.report(TensorLayout.check(checkpoint));
      return config.storage() != null ? checkpoint : checkpoint.withStorageOfEmbedding();
    } catch (IOException | RuntimeException | Error e) {
      for (SafetensorsFile file : files) {
        file.close();
      }
      throw e;
    }
  }

  private static void openShards(
      ShardIndex index, List<SafetensorsFile> files, Map<String, SafetensorsFile> fileOfTensor)
      throws IOException {
    Map<String, SafetensorsFile> byName = new LinkedHashMap<>();
    for (String shard : index.shards()) {
      SafetensorsFile file = SafetensorsFile.open(index.file().resolveSibling(shard));
      files.add(file);
      byName.put(shard, file);
    }
    for (Map.Entry<String, String> entry : index.shardOfTensor().entrySet()) {
      SafetensorsFile file = byName.get(entry.getValue());
      if (!file.has(entry.getKey())) {
        throw new CheckpointException(
            "%s: weight_map says that %s holds tensor %s, which it does not"
                .formatted(index.file().toAbsolutePath(), entry.getValue(), entry.getKey()));
      }
      fileOfTensor.put(entry.getKey(), file);
    }
    for (SafetensorsFile file : files) {
      for (TensorInfo tensor : file.tensors()) {
        SafetensorsFile listed = fileOfTensor.putIfAbsent(tensor.name(), file);
        if (listed != null && listed != file) {
          throw new CheckpointException(
              "tensor %s lies in both %s and %s"
                  .formatted(
                      tensor.name(), listed.path().toAbsolutePath(), file.path().toAbsolutePath()));
        }
      }
    }
  }

  private Checkpoint withStorageOfEmbedding() throws CheckpointException {
    DType stored = storedType(TensorLayout.EMBEDDING);
    return new Checkpoint(folder, config.withStorage(stored), files, fileOfTensor, revision);
  }

  private void report(List<String> strangers) {
    if (!strangers.isEmpty()) {
      log.warn(
          "{}: {} tensors are not part of a {} and are not read, such as {}",
          folder.toAbsolutePath(),
          strangers.size(),
          config.model().architecture(),
          strangers.subList(0, Math.min(STRANGERS_SHOWN, strangers.size())));
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

  /** Names of all tensors in the checkpoint's files. */
  Set<String> tensorNames() {
    return Collections.unmodifiableSet(fileOfTensor.keySet());
  }

  /** An error about a tensor that the files have. */
  CheckpointException wrongTensor(String name, String what) {
    return new CheckpointException(
        "%s: tensor %s %s".formatted(fileOfTensor.get(name).path().toAbsolutePath(), name, what));
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

  /** A tensor's description, whatever its shape. */
  TensorInfo info(String name) throws CheckpointException {
    return file(name).tensor(name);
  }

  /**
   * A tensor's description, its shape checked.
   *
   * @throws CheckpointException if it is missing or has another shape
   */
  public TensorInfo tensor(String name, long... shape) throws CheckpointException {
    TensorInfo info = info(name);
    List<Long> expected = Arrays.stream(shape).boxed().toList();
    if (!info.shape().equals(expected)) {
      throw wrongTensor(
          name, "has shape %s; config.json makes it %s".formatted(info.shape(), expected));
    }
    return info;
  }

  /**
   * The element type in which a tensor is stored.
   *
   * @throws CheckpointException if the tensor is missing or of a type that is not supported
   */
  public DType storedType(String name) throws CheckpointException {
    String stored = info(name).dtype();
    for (DType dtype : DType.values()) {
      if (dtype.safetensorsName().equals(stored)) {
        return dtype;
      }
    }
    throw wrongTensor(name, "is stored as %s; supported: F32, F16, BF16".formatted(stored));
  }

  /**
   * Fills {@code target} with a tensor's elements, from its byte {@code offset} on, and checks that
   * all of them are finite.
   *
   * @param offset a whole number of elements
   * @throws CheckpointException if the file is cut, or an element is NaN or infinite; names it. The
   *     target is then partly filled
   */
  public void read(TensorInfo tensor, long offset, ByteBuffer target) throws IOException {
    SafetensorsFile file = file(tensor.name());
    DType dtype = storedType(tensor.name());
    int end = target.limit();
    for (int at = target.position(); at < end; at = target.position()) {
      int piece = Math.min(PIECE_BYTES, end - at);
      file.read(tensor, offset, target.limit(at + piece));
      long wrong = FiniteValues.firstNonFinite(target.duplicate().position(at), dtype);
      if (wrong >= 0) {
        throw wrongTensor(
            tensor.name(),
            "holds NaN or infinity at element %d".formatted(offset / dtype.bytes() + wrong));
      }
      offset += piece;
    }
    target.limit(end);
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
