package io.lensflow.engine.lens;

import io.lensflow.engine.DType;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.checkpoint.CheckpointException;
import io.lensflow.engine.checkpoint.FiniteValues;
import io.lensflow.engine.checkpoint.SafetensorsFile;
import io.lensflow.engine.checkpoint.TensorInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A translator's safetensors file, open for reading; {@code docs/lenses.md} describes the layout.
 * Opening it checks everything that can be told without the model and without reading a weight.
 *
 * <p>Thread-safe.
 */
public final class TranslatorFile implements AutoCloseable {
  /** What the metadata's {@code format} says. */
  static final String FORMAT = "lensflow-lens";

  /** The layout's version, {@code formatVersion}. */
  static final String VERSION = "1";

  private static final Pattern TENSOR =
      Pattern.compile("layers\\.(0|[1-9]\\d{0,5})\\.(weight|bias)");
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");

  private final SafetensorsFile file;
  private final TranslatorInfo info;
  private final SortedSet<Integer> layers = new TreeSet<>();
  private long hiddenSize;

  private TranslatorFile(SafetensorsFile file) throws IOException {
    this.file = file;
    this.info = readInfo();
    readLayout();
  }

  /**
   * Opens a file and checks its header.
   *
   * @throws CheckpointException if it is no translator's, or contradicts itself; names file and
   *     field or tensor
   */
  public static TranslatorFile open(Path path) throws IOException {
    SafetensorsFile file = SafetensorsFile.open(path);
    try {
      return new TranslatorFile(file);
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** Whether a lens may have this name: up to 100 of the characters A-Z a-z 0-9 . _ -. */
  public static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  private TranslatorInfo readInfo() throws CheckpointException {
    Map<String, String> metadata = file.metadata();
    if (!metadata.getOrDefault("format", "").equals(FORMAT)) {
      throw wrong(
          "its metadata does not say format = %s: not a lens, see docs/lenses.md"
              .formatted(FORMAT));
    }
    if (!required("formatVersion").equals(VERSION)) {
      throw wrong(
          "formatVersion is '%s'; this version of Lensflow reads %s"
              .formatted(metadata.get("formatVersion"), VERSION));
    }
    String name = required("name");
    if (!isName(name)) {
      throw wrong("name is '%s'; it may hold up to 100 of A-Z a-z 0-9 . _ -".formatted(name));
    }
    return new TranslatorInfo(
        name,
        symbol("kind", TranslatorInfo.Kind.values()),
        required("model"),
        metadata.getOrDefault("revision", ""),
        symbol("hookPoint", HookPoint.values()),
        metadata.getOrDefault("method", ""),
        metadata.getOrDefault("trainingData", ""),
        metadata.getOrDefault("createdAt", ""));
  }

  private String required(String field) throws CheckpointException {
    String value = file.metadata().getOrDefault(field, "");
    if (value.isBlank()) {
      throw wrong("its metadata has no '%s'; see docs/lenses.md".formatted(field));
    }
    return value;
  }

  private <T extends Enum<T>> T symbol(String field, T[] symbols) throws CheckpointException {
    String value = required(field);
    for (T symbol : symbols) {
      if (symbol.name().equals(value.toUpperCase(Locale.ROOT))) {
        return symbol;
      }
    }
    throw wrong("%s is '%s'; known are %s".formatted(field, value, Arrays.toString(symbols)));
  }

  private void readLayout() throws CheckpointException {
    for (TensorInfo tensor : file.tensors()) {
      Matcher matcher = TENSOR.matcher(tensor.name());
      if (!matcher.matches()) {
        throw wrong(
            "tensor %s is none of layers.<i>.weight and layers.<i>.bias".formatted(tensor.name()));
      }
      storedType(tensor);
      if (matcher.group(2).equals("weight")) {
        square(tensor);
        layers.add(Integer.parseInt(matcher.group(1)));
      }
    }
    if (layers.isEmpty()) {
      throw wrong("it holds no layers.<i>.weight");
    }
    boolean affine = info.kind() == TranslatorInfo.Kind.AFFINE;
    for (int layer : layers) {
      TensorInfo bias = affine ? file.tensor(biasName(layer)) : null;
      if (affine && !bias.shape().equals(List.of(hiddenSize))) {
        throw wrong(
            "tensor %s has shape %s, but %s makes it [%d]"
                .formatted(bias.name(), bias.shape(), weightName(layer), hiddenSize));
      }
    }
    if (file.tensors().size() != (affine ? 2 : 1) * layers.size()) {
      throw wrong(
          affine
              ? "a layers.<i>.bias has no layers.<i>.weight beside it"
              : "kind is linear, which has no layers.<i>.bias; an affine lens has");
    }
  }

  private void square(TensorInfo tensor) throws CheckpointException {
    List<Long> shape = tensor.shape();
    if (shape.size() != 2 || !shape.get(0).equals(shape.get(1)) || shape.get(0) == 0) {
      throw wrong("tensor %s has shape %s, not [D, D]".formatted(tensor.name(), shape));
    }
    if (hiddenSize != 0 && hiddenSize != shape.get(0)) {
      throw wrong(
          "tensor %s has shape %s, but another one [%d, %d]"
              .formatted(tensor.name(), shape, hiddenSize, hiddenSize));
    }
    hiddenSize = shape.get(0);
  }

  private DType storedType(TensorInfo tensor) throws CheckpointException {
    for (DType dtype : DType.values()) {
      if (dtype.safetensorsName().equals(tensor.dtype())) {
        return dtype;
      }
    }
    throw wrong(
        "tensor %s is stored as %s; supported: F32, F16, BF16"
            .formatted(tensor.name(), tensor.dtype()));
  }

  static String weightName(int layer) {
    return "layers.%d.weight".formatted(layer);
  }

  static String biasName(int layer) {
    return "layers.%d.bias".formatted(layer);
  }

  /** What the metadata says. */
  public TranslatorInfo info() {
    return info;
  }

  /** The layers that the metadata names as all there are, a layer spec; empty if it names none. */
  public String layerSpec() {
    return file.metadata().getOrDefault("layers", "");
  }

  /** The layers that have tensors. */
  public SortedSet<Integer> layers() {
    return Collections.unmodifiableSortedSet(layers);
  }

  /** D. */
  public long hiddenSize() {
    return hiddenSize;
  }

  /** In which type a layer's weight is stored. */
  public DType storedType(int layer) throws CheckpointException {
    return storedType(file.tensor(weightName(layer)));
  }

  /** In which type a tensor is stored. */
  DType storedType(String tensor) throws CheckpointException {
    return storedType(file.tensor(tensor));
  }

  /**
   * Fills {@code target} with all elements of a tensor, and checks that they are finite.
   *
   * @throws CheckpointException if one is NaN or infinite, or the file is cut; names the tensor
   */
  void read(String tensor, ByteBuffer target) throws IOException {
    int begin = target.position();
    TensorInfo stored = file.tensor(tensor);
    file.read(stored, 0, target);
    long wrong = FiniteValues.firstNonFinite(target.flip().position(begin), storedType(stored));
    if (wrong >= 0) {
      throw wrong("tensor %s holds NaN or infinity at element %d".formatted(tensor, wrong));
    }
  }

  /** An error about this file. */
  CheckpointException wrong(String what) {
    return new CheckpointException(file.path().toAbsolutePath() + ": " + what);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
