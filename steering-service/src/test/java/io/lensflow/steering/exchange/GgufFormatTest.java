package io.lensflow.steering.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.records.HookPoint;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.SiteDraft;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GgufFormatTest {
  private static SiteDraft site(int layer, float... values) {
    return new SiteDraft("", layer, HookPoint.RESIDUAL_POST, values);
  }

  private static final VectorContent CONTENT =
      new VectorContent(List.of(site(1, 1, -2.5f, 3), site(14, 0, 4, 5)), Map.of("method", "PCA"));

  @Test
  void shouldReadWhatItWrote() {
    VectorContent read = GgufFormat.read(GgufFormat.write(CONTENT, "llama"));
    assertThat(read.metadata()).isEqualTo(CONTENT.metadata());
    assertThat(read.sites())
        .usingRecursiveComparison()
        .ignoringFields("field")
        .isEqualTo(CONTENT.sites());
  }

  /** A file put together from the specification, as llama.cpp's generator writes it. */
  private static ByteBuffer foreign(String tensor, float... values) {
    ByteBuffer out = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);
    out.put("GGUF".getBytes(StandardCharsets.US_ASCII)).putInt(3).putLong(1).putLong(4);
    string(out, "general.architecture").putInt(8);
    string(out, "controlvector");
    string(out, "controlvector.model_hint").putInt(8);
    string(out, "llama");
    string(out, "controlvector.layer_count").putInt(5).putInt(1);
    // A key that no control vector needs: an array of two texts.
    string(out, "general.tags").putInt(9).putInt(8).putLong(2);
    string(out, "a");
    string(out, "b");
    string(out, tensor).putInt(1).putLong(values.length).putInt(0).putLong(0);
    while (out.position() % 32 != 0) {
      out.put((byte) 0);
    }
    for (float value : values) {
      out.putFloat(value);
    }
    return out.flip();
  }

  private static ByteBuffer string(ByteBuffer out, String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return out.putLong(utf8.length).put(utf8);
  }

  private static byte[] bytes(ByteBuffer buffer) {
    return Arrays.copyOf(buffer.array(), buffer.limit());
  }

  @Test
  void shouldPutDirectionNAfterLayerNAsLlamaCppDoes() {
    VectorContent read = GgufFormat.read(bytes(foreign("direction.13", 1, 2)));
    assertThat(read.sites()).hasSize(1);
    assertThat(read.sites().get(0).layer()).isEqualTo(13);
    assertThat(read.sites().get(0).hookPoint()).isEqualTo(HookPoint.RESIDUAL_POST);
    assertThat(read.sites().get(0).values()).containsExactly(1, 2);
    String written =
        new String(
            GgufFormat.write(new VectorContent(List.of(site(13, 1, 2)), Map.of()), "llama"),
            StandardCharsets.ISO_8859_1);
    assertThat(written).startsWith("GGUF").contains("direction.13").contains("controlvector");
  }

  @Test
  void shouldRefuseWhatTheFormatCannotSay() {
    VectorContent first = new VectorContent(List.of(site(0, 1, 2)), Map.of());
    assertThatThrownBy(() -> GgufFormat.write(first, "llama"))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("RESIDUAL_POST of layer 0");
    VectorContent elsewhere =
        new VectorContent(
            List.of(new SiteDraft("", 2, HookPoint.ATTENTION_INPUT, new float[] {1})), Map.of());
    assertThatThrownBy(() -> GgufFormat.write(elsewhere, "llama"))
        .hasMessageContaining("ATTENTION_INPUT of layer 2");
    assertThatThrownBy(() -> GgufFormat.read(bytes(foreign("direction.0", 1))))
        .hasMessageContaining("direction.0");
    assertThatThrownBy(() -> GgufFormat.read(bytes(foreign("token_embd.weight", 1))))
        .hasMessageContaining("no tensor direction.N");
  }

  @Test
  void shouldRefuseAFileThatIsCutAnywhere() {
    byte[] whole = bytes(foreign("direction.2", 1, 2, 3));
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> GgufFormat.read(cut))
          .as("cut at %d", length)
          .isInstanceOf(RefusedException.class);
    }
  }
}
