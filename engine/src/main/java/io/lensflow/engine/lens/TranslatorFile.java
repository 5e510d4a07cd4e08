package io.lensflow.engine.lens;

import io.lensflow.engine.DType;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.checkpoint.CheckpointException;
import io.lensflow.engine.checkpoint.FiniteValues;
import io.lensflow.engine.checkpoint.SafetensorsFile;
import io.lensflow.engine.checkpoint.TensorInfo;
import io.lensflow.engine.lens.TranslatorInfo.Kind;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import io.lensflow.text.spec.LayerSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * A translator's safetensors file, and what must hold of it: right format, model, revision, shapes,
 * layers, and finite values. {@code docs/lenses.md} describes the layout.
 */
final class TranslatorFile {
  private static final String FORMAT = "lensflow-lens";
  private static final String FORMAT_VERSION = "1";

  private final SafetensorsFile file;
  private final ModelConfig config;

  TranslatorFile(SafetensorsFile file, ModelConfig config) {
    this.file = file;
    this.config = config;
  }

  /**
   * What the file says about itself.
   *
   * @param model the name that it must have; null accepts any
   * @param revision the revision that it must have; null accepts any
   */
  TranslatorInfo info(String model, String revision) throws CheckpointException {
    expect("format", field("format"), FORMAT);
    expect("formatVersion", field("formatVersion"), FORMAT_VERSION);
    expect("model", field("model"), model);
    expect("revision", field("revision"), revision);
    return new TranslatorInfo(
        field("name"),
        symbol("kind", Kind.values()),
        field("model"),
        field("revision"),
        symbol("hookPoint", HookPoint.values()),
        layers(),
        field("method"),
        field("trainingData"),
        field("createdAt"));
  }

  /** Layers that have a matrix: all, or those that the file names; the last may be absent. */
  private SortedSet<Integer> layers() throws CheckpointException {
    SortedSet<Integer> present = new TreeSet<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      if (file.has(weight(layer))) {
        present.add(layer);
      }
    }
    for (int layer : promised()) {
      if (!present.contains(layer) && layer != config.layers() - 1) {
        throw wrong("lacks tensor %s; the model has %d layers", weight(layer), config.layers());
      }
    }
    for (TensorInfo tensor : file.tensors()) {
      boolean known =
          present.stream()
              .anyMatch(l -> tensor.name().equals(weight(l)) || tensor.name().equals(bias(l)));
      if (!known) {
        throw wrong(
            "holds tensor %s, which a translator of %d layers does not have",
            tensor.name(), config.layers());
      }
    }
    return present;
  }

  private List<Integer> promised() throws CheckpointException {
    try {
      return LayerSpec.resolve(file.metadata().getOrDefault("layers", "all"), config.layers());
    } catch (IllegalArgumentException e) {
      throw wrong("has metadata %s", e.getMessage());
    }
  }

  /** A layer's matrix [D, D], in the type of the file. */
  Tensor weight(int layer, TensorKernels tensors) throws IOException {
    return read(weight(layer), tensors, config.hiddenSize(), config.hiddenSize());
  }

  /** A layer's bias [D] in float32; [0] where the formula has none. */
  Tensor bias(int layer, Kind kind, TensorKernels tensors) throws IOException {
    if (kind == Kind.LINEAR) {
      if (file.has(bias(layer))) {
        throw wrong("holds tensor %s, but a linear translator has no bias", bias(layer));
      }
      return tensors.empty(DType.FLOAT32, 0);
    }
    try (Tensor stored = read(bias(layer), tensors, config.hiddenSize())) {
      Tensor bias = tensors.empty(DType.FLOAT32, config.hiddenSize());
      tensors.copy(bias, stored);
      return bias;
    }
  }

  private Tensor read(String name, TensorKernels tensors, long... shape) throws IOException {
    TensorInfo info = file.tensor(name);
    if (!info.shape().equals(Arrays.stream(shape).boxed().toList())) {
      throw wrong("has %s of shape %s, not %s", name, info.shape(), Arrays.toString(shape));
    }
    DType dtype =
        Arrays.stream(DType.values())
            .filter(known -> known.safetensorsName().equals(info.dtype()))
            .findFirst()
            .orElseThrow(() -> wrong("has %s of type %s; use F32, F16, BF16", name, info.dtype()));
    Tensor tensor = tensors.empty(dtype, shape);
    try {
      ByteBuffer bytes = tensor.bytes();
      file.read(info, 0, bytes.duplicate());
      long spoiled = FiniteValues.firstNonFinite(bytes, dtype);
      if (spoiled >= 0) {
        throw wrong("has a %s whose element %d is not finite", name, spoiled);
      }
      return tensor;
    } catch (IOException | RuntimeException e) {
      tensor.close();
      throw e;
    }
  }

  private String field(String name) throws CheckpointException {
    String value = file.metadata().get(name);
    if (value == null || value.isBlank()) {
      throw wrong("has no metadata '%s'", name);
    }
    return value;
  }

  private void expect(String name, String value, String wanted) throws CheckpointException {
    if (wanted != null && !value.equals(wanted)) {
      throw wrong("is for %s '%s', not '%s'", name, value, wanted);
    }
  }

  private <T extends Enum<T>> T symbol(String name, T[] known) throws CheckpointException {
    String value = field(name).toUpperCase(Locale.ROOT);
    for (T symbol : known) {
      if (symbol.name().equals(value)) {
        return symbol;
      }
    }
    throw wrong("has %s '%s'; known are %s", name, field(name), Arrays.toString(known));
  }

  private static String weight(int layer) {
    return "layers." + layer + ".weight";
  }

  private static String bias(int layer) {
    return "layers." + layer + ".bias";
  }

  private CheckpointException wrong(String what, Object... arguments) {
    return new CheckpointException(
        "translator %s %s".formatted(file.path().toAbsolutePath(), what.formatted(arguments)));
  }
}
