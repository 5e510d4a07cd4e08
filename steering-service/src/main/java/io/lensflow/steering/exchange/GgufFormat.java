package io.lensflow.steering.exchange;

import io.lensflow.records.HookPoint;
import io.lensflow.steering.vector.Float32;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.SiteDraft;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Control vectors as llama.cpp writes and reads them: a GGUF file of architecture {@code
 * controlvector} with a tensor {@code direction.N} [D], float32, per layer. Stateless.
 *
 * <p><b>Layers.</b> llama.cpp stores {@code direction.N} at place N − 1 of a buffer that begins
 * with layer 1 ({@code common_control_vector_load_one}), and adds place il − 1 in block il ({@code
 * llama_adapter_cvec::apply}), after the second residual addition, to what it calls {@code
 * l_out-il} ({@code build_cvec}). The two shifts cancel: <b>{@code direction.N} is {@code
 * RESIDUAL_POST} of layer N</b>, both counted from 0. Layer 0 cannot be said: llama.cpp refuses
 * {@code direction.0}.
 *
 * <p>llama.cpp adds a control vector at every position, with one scale; other operations cannot be
 * written, other positions get lost.
 */
public final class GgufFormat {
  private static final int MAGIC = 0x46554747;
  private static final int VERSION = 3;
  private static final int FLOAT32 = 0;
  private static final int FLOAT16 = 1;
  private static final int BFLOAT16 = 30;
  private static final int DEFAULT_ALIGNMENT = 32;
  private static final String ARCHITECTURE = "general.architecture";
  private static final String CONTROL_VECTOR = "controlvector";
  private static final String MODEL_HINT = "controlvector.model_hint";
  private static final String LAYER_COUNT = "controlvector.layer_count";
  private static final String ALIGNMENT = "general.alignment";
  private static final String PREFIX = "lensflow.";
  private static final int INT32 = 5;
  private static final int STRING = 8;
  private static final Pattern DIRECTION = Pattern.compile("direction\\.(\\d{1,6})");

  private GgufFormat() {}

  /**
   * The file's bytes.
   *
   * @param modelHint what the file says of the model; llama.cpp shows it and does not check it
   * @throws RefusedException if a site is not {@code RESIDUAL_POST} of layer 1 or above
   */
  public static byte[] write(VectorContent content, String modelHint) {
    content.sites().forEach(GgufFormat::requireSite);
    Output out = new Output();
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put(ARCHITECTURE, CONTROL_VECTOR);
    texts.put(MODEL_HINT, modelHint);
    new TreeMap<>(content.metadata()).forEach((key, value) -> texts.put(PREFIX + key, value));
    out.int32(MAGIC).int32(VERSION).int64(content.sites().size()).int64(texts.size() + 1);
    texts.forEach((key, value) -> out.string(key).int32(STRING).string(value));
    out.string(LAYER_COUNT).int32(INT32).int32(content.sites().size());
    long offset = 0;
    for (SiteDraft site : content.sites()) {
      int length = site.values().length;
      out.string("direction." + site.layer()).int32(1).int64(length).int32(FLOAT32).int64(offset);
      offset += aligned((long) Float.BYTES * length, DEFAULT_ALIGNMENT);
    }
    out.pad(DEFAULT_ALIGNMENT);
    for (SiteDraft site : content.sites()) {
      out.bytes(Float32.encode(site.values())).pad(DEFAULT_ALIGNMENT);
    }
    return out.toByteArray();
  }

  private static void requireSite(SiteDraft site) {
    if (site.hookPoint() != HookPoint.RESIDUAL_POST || site.layer() < 1) {
      throw RefusedException.invalid(
          "format",
          "a GGUF control vector acts at RESIDUAL_POST of layers 1 and above; this version also acts at %s of layer %d. Use safetensors"
              .formatted(site.hookPoint(), site.layer()));
    }
  }

  /**
   * Reads a file.
   *
   * @throws RefusedException if it is damaged or no control vector
   */
  public static VectorContent read(byte[] file) {
    GgufReader in = new GgufReader(file);
    in.magic(MAGIC);
    long tensors = in.count();
    long pairs = in.count();
    Map<String, Object> values = new TreeMap<>();
    for (long i = 0; i < pairs; i++) {
      values.put(in.string(), in.value(in.int32()));
    }
    if (!CONTROL_VECTOR.equals(values.get(ARCHITECTURE))) {
      throw GgufReader.wrong("its architecture is %s".formatted(values.get(ARCHITECTURE)));
    }
    List<GgufReader.Tensor> infos = new ArrayList<>();
    for (long i = 0; i < tensors; i++) {
      infos.add(in.tensor());
    }
    long alignment = values.get(ALIGNMENT) instanceof Number number ? number.longValue() : 32;
    in.align(alignment);
    List<SiteDraft> sites = new ArrayList<>();
    for (GgufReader.Tensor info : infos) {
      Matcher direction = DIRECTION.matcher(info.name());
      if (direction.matches()) {
        sites.add(site(in, info, Integer.parseInt(direction.group(1))));
      }
    }
    if (sites.isEmpty()) {
      throw GgufReader.wrong("it holds no tensor direction.N");
    }
    return new VectorContent(sites, metadata(values));
  }

  private static SiteDraft site(GgufReader in, GgufReader.Tensor info, int layer) {
    if (layer == 0) {
      throw GgufReader.wrong("it holds direction.0; layers count from 1 there");
    }
    String type =
        switch (info.type()) {
          case FLOAT32 -> "F32";
          case FLOAT16 -> "F16";
          case BFLOAT16 -> "BF16";
          default -> "number " + info.type();
        };
    StoredType stored = StoredType.of(info.name(), type);
    float[] values = stored.floats(in.data(info, stored.bytes()), info.length());
    return new SiteDraft(
        "tensor '%s': ".formatted(info.name()), layer, HookPoint.RESIDUAL_POST, values);
  }

  private static Map<String, String> metadata(Map<String, Object> values) {
    Map<String, String> metadata = new TreeMap<>();
    values.forEach(
        (key, value) -> {
          if (key.startsWith(PREFIX) && value instanceof String text) {
            metadata.put(key.substring(PREFIX.length()), text);
          }
        });
    return metadata;
  }

  static long aligned(long size, long alignment) {
    return (size + alignment - 1) / alignment * alignment;
  }

  /** Little-endian writing. */
  private static final class Output {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    Output int32(int value) {
      return bytes(little(Integer.BYTES).putInt(value).flip());
    }

    Output int64(long value) {
      return bytes(little(Long.BYTES).putLong(value).flip());
    }

    Output string(String text) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      return int64(utf8.length).bytes(ByteBuffer.wrap(utf8));
    }

    Output bytes(ByteBuffer more) {
      bytes.write(more.array(), more.arrayOffset() + more.position(), more.remaining());
      return this;
    }

    Output pad(int alignment) {
      while (bytes.size() % alignment != 0) {
        bytes.write(0);
      }
      return this;
    }

    byte[] toByteArray() {
      return bytes.toByteArray();
    }

    private static ByteBuffer little(int size) {
      return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
  }
}
