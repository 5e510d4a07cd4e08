package io.lensflow.engine.lens;

import io.lensflow.engine.DType;
import io.lensflow.engine.checkpoint.SafetensorsFile;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A lens that brings rows of a layer to where the last layer's rows lie, before the final norm: h +
 * W h + b (affine, "tuned lens", Belrose et al. 2023) or J h (linear, "Jacobian lens"), W, b and J
 * its own for each layer, computed in float32. Loaded from a safetensors file, whose layout {@code
 * docs/lenses.md} describes. Matrices stay in the file's type and move to the device of the head
 * that uses them first.
 *
 * <p>Not thread-safe; belongs to the thread of the head that uses it.
 */
public final class LensTranslator implements AutoCloseable {
  private final TranslatorInfo info;
  private final int layerCount;
  private final Map<Integer, Tensor> weights = new HashMap<>();
  private final Map<Integer, Tensor> biases = new HashMap<>();
  private String device = "cpu";

  private LensTranslator(TranslatorInfo info, int layerCount) {
    this.info = info;
    this.layerCount = layerCount;
  }

  /**
   * Reads a translator.
   *
   * @param config the shape that it must have been made for
   * @param model the name of the model that it must have been made for; null accepts any
   * @param revision that model's revision; null accepts any
   * @throws IOException if the file is broken, or is of another model, revision or shape, or lacks
   *     layers; names what is wrong
   */
  public static LensTranslator load(Path file, ModelConfig config, String model, String revision)
      throws IOException {
    try (SafetensorsFile opened = SafetensorsFile.open(file);
        TensorKernels tensors = new TensorKernels()) {
      TranslatorFile source = new TranslatorFile(opened, config);
      LensTranslator translator = new LensTranslator(source.info(model, revision), config.layers());
      try {
        for (int layer : translator.info.layers()) {
          translator.weights.put(layer, source.weight(layer, tensors));
          translator.biases.put(layer, source.bias(layer, translator.info.kind(), tensors));
        }
        return translator;
      } catch (IOException | RuntimeException | Error e) {
        translator.close();
        throw e;
      }
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

  /** Whether rows of a layer can be translated; those of the last layer always can. */
  public boolean covers(int layer) {
    return info.layers().contains(layer) || layer == layerCount - 1;
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

  /** Frees its memory. Closing twice is harmless. */
  @Override
  public void close() {
    weights.values().forEach(Tensor::close);
    biases.values().forEach(Tensor::close);
    weights.clear();
    biases.clear();
  }
}
