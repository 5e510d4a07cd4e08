package io.lensflow.engine.lens;

import io.lensflow.engine.DType;
import io.lensflow.engine.checkpoint.SafetensorsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Writes a translator's safetensors file, in float32; {@code docs/lenses.md} describes the layout.
 *
 * <p>Not thread-safe.
 */
public final class TranslatorWriter {
  private final TranslatorInfo info;
  private final int hiddenSize;
  private final SafetensorsWriter writer = new SafetensorsWriter();

  /**
   * @param info what the file shall say about it
   * @param hiddenSize D
   * @throws IllegalArgumentException if the name is none that a lens may have
   */
  public TranslatorWriter(TranslatorInfo info, int hiddenSize) {
    if (!TranslatorFile.isName(info.name())) {
      throw new IllegalArgumentException(
          "name is '%s'; it may hold up to 100 of A-Z a-z 0-9 . _ -".formatted(info.name()));
    }
    this.info = info;
    this.hiddenSize = hiddenSize;
  }

  /**
   * Adds a layer. The buffers are read when the file is written.
   *
   * @param weight W or J [D, D], little-endian float32
   * @param bias b [D]; null for a linear translator
   */
  public void add(int layer, ByteBuffer weight, ByteBuffer bias) {
    String dtype = DType.FLOAT32.safetensorsName();
    writer.add(
        TranslatorFile.weightName(layer),
        dtype,
        new long[] {hiddenSize, hiddenSize},
        List.of(weight));
    if (info.kind() == TranslatorInfo.Kind.AFFINE) {
      writer.add(TranslatorFile.biasName(layer), dtype, new long[] {hiddenSize}, List.of(bias));
    }
  }

  /**
   * Writes the file, over an older one of the same name. Whoever looks into the folder meanwhile
   * sees the old one or the new one, never a part: it is written beside, under a name that starts
   * with a dot, and moved.
   */
  public void write(Path file) throws IOException {
    Path beside = file.resolveSibling("." + file.getFileName() + ".part");
    try {
      writer.write(beside, metadata());
      try {
        Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException e) {
        Files.move(beside, file, StandardCopyOption.REPLACE_EXISTING);
      }
    } finally {
      Files.deleteIfExists(beside);
    }
  }

  private Map<String, String> metadata() {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("format", TranslatorFile.FORMAT);
    metadata.put("formatVersion", TranslatorFile.VERSION);
    metadata.put("name", info.name());
    metadata.put("kind", info.kind().name().toLowerCase(Locale.ROOT));
    metadata.put("model", info.model());
    metadata.put("revision", info.revision());
    metadata.put("hookPoint", info.hookPoint().name());
    metadata.put("method", info.method());
    metadata.put("trainingData", info.trainingData());
    metadata.put("createdAt", info.createdAt());
    return metadata;
  }
}
