package io.lensflow.decoder;

import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.lens.TranslatorInfo;
import io.lensflow.engine.lens.TranslatorWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/** Files of translators. */
public final class TestTranslators {
  private TestTranslators() {}

  /** h + s·h at every layer but the last, as a file of {@link TestModel}. */
  public static void write(Path file, String name, float scale) throws IOException {
    write(file, name, TestModel.NAME, TestModel.REVISION, TestModel.LAYERS, TestModel.SIZE, scale);
  }

  /** The same for any model. */
  public static void write(
      Path file,
      String name,
      String model,
      String revision,
      int layers,
      int hiddenSize,
      float scale)
      throws IOException {
    TranslatorInfo info =
        new TranslatorInfo(
            name,
            TranslatorInfo.Kind.AFFINE,
            model,
            revision,
            HookPoint.RESIDUAL_POST,
            "by hand",
            "none",
            "2026-11-23T12:00:00Z");
    TranslatorWriter writer = new TranslatorWriter(info, hiddenSize);
    for (int layer = 0; layer < layers - 1; layer++) {
      ByteBuffer weight = floats(hiddenSize * hiddenSize);
      for (int d = 0; d < hiddenSize; d++) {
        weight.putFloat((d * hiddenSize + d) * Float.BYTES, scale);
      }
      writer.add(layer, weight, floats(hiddenSize));
    }
    writer.write(file);
  }

  private static ByteBuffer floats(int count) {
    return ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
  }
}
