package io.lensflow.engine.lens;

import io.lensflow.engine.DType;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.checkpoint.CheckpointException;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import io.lensflow.text.spec.LayerSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A lens that brings rows of a layer to where the last layer's rows lie, before the final norm: h +
 * W h + b (affine, "tuned lens") or J h (linear, "Jacobian lens"), W, b and J its own for each
 * layer. Loaded from a safetensors file, whose layout {@code docs/lenses.md} describes, and held in
 * float32: L·D²·4 bytes, on the device of the head that uses it first.
 *
 * <p>Not thread-safe; belongs to the thread of the head that uses it.
 */
public final class LensTranslator implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LensTranslator.class);

  private final TranslatorInfo info;
  private final SortedSet<Integer> covered = new TreeSet<>();
  private final Map<Integer, Tensor> weights = new TreeMap<>();
  private final Map<Integer, Tensor> biases = new TreeMap<>();
  private String device = "cpu";

  private LensTranslator(TranslatorInfo info) {
    this.info = info;
  }

  /**
   * Reads a translator.
   *
   * @param config the shape that it must have been made for
   * @param model the name of the model that it must have been made for; null accepts any
   * @param revision that model's revision; null accepts any, and a file that names none is taken
   *     with a warning
   * @throws CheckpointException if the file is broken, or is of another model, revision or shape,
   *     or lacks layers; names what is wrong
   */
  public static LensTranslator load(Path file, ModelConfig config, String model, String revision)
      throws IOException {
    try (TranslatorFile source = TranslatorFile.open(file);
        TensorKernels tensors = new TensorKernels()) {
      checkModel(source, model, revision);
      LensTranslator translator = new LensTranslator(source.info());
      translator.covered.addAll(checkLayers(source, config));
      try {
        translator.read(source, tensors);
        return translator;
      } catch (IOException | RuntimeException | Error e) {
        translator.close();
        throw e;
      }
    }
  }

  private static void checkModel(TranslatorFile source, String model, String revision)
      throws CheckpointException {
    TranslatorInfo info = source.info();
    if (model != null && !info.model().equals(model)) {
      throw source.wrong(
          "lens '%s' was made for the model '%s', not '%s'; fit one for this model"
              .formatted(info.name(), info.model(), model));
    }
    if (revision == null) {
      return;
    }
    if (info.revision().isEmpty()) {
      log.warn(
          "lens '{}' does not say for which revision of '{}' it was made; taken for {}",
          info.name(),
          info.model(),
          revision);
    } else if (!info.revision().equals(revision)) {
      throw source.wrong(
          "lens '%s' was made for revision %s of '%s', not %s; fit one for this checkpoint"
              .formatted(info.name(), info.revision(), info.model(), revision));
    }
  }

  /** The layers whose rows it can translate. */
  private static SortedSet<Integer> checkLayers(TranslatorFile source, ModelConfig config)
      throws CheckpointException {
    int count = config.layers();
    if (source.hiddenSize() != config.hiddenSize()) {
      throw source.wrong(
          "its weights are [%d, %d], but the model's hidden size is %d"
              .formatted(source.hiddenSize(), source.hiddenSize(), config.hiddenSize()));
    }
    SortedSet<Integer> present = source.layers();
    if (present.last() >= count) {
      throw source.wrong(
          "it holds layer %d, but the model has layers 0 … %d"
              .formatted(present.last(), count - 1));
    }
    SortedSet<Integer> expected = new TreeSet<>();
    if (source.layerSpec().isEmpty()) {
      IntStream.range(0, count).forEach(expected::add);
    } else {
      try {
        expected.addAll(LayerSpec.resolve(source.layerSpec(), count));
      } catch (IllegalArgumentException e) {
        throw source.wrong("layers in its metadata: " + e.getMessage());
      }
    }
    SortedSet<Integer> covered = new TreeSet<>(present);
    if (source.info().hookPoint() == HookPoint.RESIDUAL_POST) {
      // There a row is what the model itself goes on with.
      covered.add(count - 1);
    }
    for (int layer : expected) {
      if (!covered.contains(layer)) {
        throw source.wrong(
            "%s is missing; a lens for some layers only names them in its metadata's 'layers'"
                .formatted(TranslatorFile.weightName(layer)));
      }
    }
    for (int layer : present) {
      if (!expected.contains(layer)) {
        throw source.wrong(
            "it holds layer %d, which 'layers' in its metadata, %s, leaves out"
                .formatted(layer, source.layerSpec()));
      }
    }
    return covered;
  }

  private void read(TranslatorFile source, TensorKernels tensors) throws IOException {
    long d = source.hiddenSize();
    for (int layer : source.layers()) {
      weights.put(layer, read(source, TranslatorFile.weightName(layer), tensors, d, d));
      biases.put(
          layer,
          info.kind() == TranslatorInfo.Kind.AFFINE
              ? read(source, TranslatorFile.biasName(layer), tensors, d)
              : tensors.empty(DType.FLOAT32, 0));
    }
  }

  private static Tensor read(
      TranslatorFile source, String name, TensorKernels tensors, long... shape) throws IOException {
    DType stored = source.storedType(name);
    Tensor raw = tensors.empty(stored, shape);
    try {
      source.read(name, raw.bytes());
      if (stored == DType.FLOAT32) {
        return raw;
      }
      Tensor widened = tensors.empty(DType.FLOAT32, shape);
      tensors.copy(widened, raw);
      raw.close();
      return widened;
    } catch (IOException | RuntimeException e) {
      raw.close();
      throw e;
    }
  }

  /** Its name. */
  public String name() {
    return info.name();
  }

  /** What its file says about it. */
  public TranslatorInfo info() {
    return info;
  }

  /** Whether it can translate rows of this layer. May be asked on any thread. */
  public boolean covers(int layer) {
    return covered.contains(layer);
  }

  /** The layers whose rows it can translate, rising. */
  public SortedSet<Integer> layers() {
    return Collections.unmodifiableSortedSet(covered);
  }

  /**
   * Translates rows.
   *
   * @param rows [n, D] of any type, left as they are
   * @param layers [n], all of them covered
   * @return [n, D] in float32
   */
  Tensor apply(Tensor rows, int[] layers, TensorKernels tensors, LensKernels kernels) {
    move(tensors);
    Tensor h = kernels.convert(rows, DType.FLOAT32);
    try {
      for (int layer : Arrays.stream(layers).distinct().toArray()) {
        if (weights.containsKey(layer)) {
          int[] at =
              IntStream.range(0, layers.length).filter(row -> layers[row] == layer).toArray();
          try (Tensor which = kernels.ids(tensors, 1, at.length, at)) {
            kernels.translate(h, which, weights.get(layer), biases.get(layer));
          }
        }
      }
      return h;
    } catch (RuntimeException | Error e) {
      h.close();
      throw e;
    }
  }

  private void move(TensorKernels to) {
    if (!device.equals(to.device())) {
      for (Map<Integer, Tensor> tensors : List.of(weights, biases)) {
        tensors.replaceAll(
            (layer, tensor) -> {
              try (tensor) {
                return to.fetch(tensor);
              }
            });
      }
      device = to.device();
    }
  }

  /** W or J of a layer, [D, D] float32; null where it is the identity, or is not covered. */
  Tensor weight(int layer) {
    return weights.get(layer);
  }

  /** b of a layer, [D] float32, or [0] where the formula has none. */
  Tensor bias(int layer) {
    return biases.get(layer);
  }

  /** Frees its memory. Closing twice is harmless. */
  @Override
  public void close() {
    weights.values().forEach(Tensor::close);
    biases.values().forEach(Tensor::close);
    weights.clear();
    biases.clear();
  }
}
