package io.lensflow.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.engine.checkpoint.SafetensorsFile;
import io.lensflow.engine.checkpoint.TensorInfo;
import io.lensflow.engine.checkpoint.VectorReader;
import io.lensflow.testkit.SharedData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/** Reference tensors computed by transformers, and the list of what they are. */
public final class Golden implements AutoCloseable {
  private final SafetensorsFile file;
  private final JsonNode description;

  private Golden(SafetensorsFile file, JsonNode description) {
    this.file = file;
    this.description = description;
  }

  /** Opens the reference of a shared fixture; skips the test where it is absent. */
  public static Golden of(String fixture) throws IOException {
    return in(SharedData.folder("fixtures/" + fixture));
  }

  /** Opens the reference that lies in a checkpoint's folder. */
  public static Golden in(Path folder) throws IOException {
    return new Golden(
        SafetensorsFile.open(folder.resolve("golden.safetensors")),
        new ObjectMapper().readTree(folder.resolve("golden.json").toFile()));
  }

  /** {@code golden.json}. */
  public JsonNode description() {
    return description;
  }

  /** All elements of a float32 tensor, row-major. */
  public float[] floats(String name) throws IOException {
    return VectorReader.read(file, name);
  }

  /** A tensor's type and shape. */
  public TensorInfo tensor(String name) throws IOException {
    return file.tensor(name);
  }

  /** All elements of an integer tensor. */
  public int[] integers(String name) throws IOException {
    return integers(file, name);
  }

  /** All elements of an integer tensor of any file. */
  public static int[] integers(SafetensorsFile file, String name) throws IOException {
    var info = file.tensor(name);
    ByteBuffer bytes = ByteBuffer.allocate((int) info.byteCount()).order(ByteOrder.LITTLE_ENDIAN);
    file.read(info, 0, bytes);
    bytes.flip();
    int[] values = new int[bytes.remaining() / Long.BYTES];
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.toIntExact(bytes.getLong());
    }
    return values;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
