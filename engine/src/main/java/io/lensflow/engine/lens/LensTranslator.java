package io.lensflow.engine.lens;

import io.lensflow.engine.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A lens that brings rows of a layer to where the last layer's rows lie, before the final norm: h +
 * W h + b (affine, "tuned lens") or J h (linear, "Jacobian lens"), W, b and J its own for each
 * layer. Loaded from a safetensors file, whose layout {@code docs/lenses.md} describes.
 *
 * <p>Not thread-safe; belongs to the thread of the head that uses it.
 */
public final class LensTranslator implements AutoCloseable {
  private final TranslatorInfo info;

  private LensTranslator(TranslatorInfo info) {
    this.info = info;
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
    throw new UnsupportedOperationException("translators");
  }

  /** Its name. */
  public String name() {
    return info.name();
  }

  /** What its file says about it. */
  public TranslatorInfo info() {
    return info;
  }

  /** Frees its memory. Closing twice is harmless. */
  @Override
  public void close() {}
}
