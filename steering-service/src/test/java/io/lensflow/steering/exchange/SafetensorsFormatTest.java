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

class SafetensorsFormatTest {
  private static final VectorContent CONTENT =
      new VectorContent(
          List.of(
              new SiteDraft("", 3, HookPoint.RESIDUAL_POST, new float[] {1, -2.5f}),
              new SiteDraft("", 0, HookPoint.ATTENTION_INPUT, new float[] {0, 4})),
          Map.of("method", "PCA", "description", "ruhig"));

  @Test
  void shouldReadWhatItWrote() {
    VectorContent read =
        SafetensorsFormat.read(SafetensorsFormat.write(CONTENT), TensorChoice.AS_NAMED);
    assertThat(read.metadata()).isEqualTo(CONTENT.metadata());
    assertThat(read.sites())
        .usingRecursiveComparison()
        .ignoringFields("field")
        .isEqualTo(CONTENT.sites());
  }

  @Test
  void shouldAlignTheDataAsTheFormatAsks() {
    byte[] file = SafetensorsFormat.write(CONTENT);
    long header = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
    assertThat(header % 8).isZero();
    assertThat(file).hasSize((int) (8 + header + 16));
  }

  /** A file as another tool would write it. */
  private static byte[] file(String header, byte... data) {
    byte[] json = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .put(data)
        .array();
  }

  @Test
  void shouldTakeHalfPrecisionAndForeignNamesWhenTheRequestSaysWhereTheyAct() {
    byte[] file =
        file(
            "{'layer_7':{'dtype':'BF16','shape':[1,2],'data_offsets':[0,4]},"
                + "'bias':{'dtype':'F16','shape':[2],'data_offsets':[4,8]}}",
            new byte[] {(byte) 0x80, 0x3f, 0x20, (byte) 0xc0, 0x00, 0x3c, 0x01, (byte) 0x80});
    VectorContent numbered =
        SafetensorsFormat.read(file, new TensorChoice("layer_7", HookPoint.MLP_OUTPUT, null));
    assertThat(numbered.sites()).hasSize(1);
    assertThat(numbered.sites().get(0).layer()).isEqualTo(7);
    assertThat(numbered.sites().get(0).values()).containsExactly(1, -2.5f);
    VectorContent said =
        SafetensorsFormat.read(file, new TensorChoice("bias", HookPoint.MLP_OUTPUT, 2));
    assertThat(said.sites().get(0).layer()).isEqualTo(2);
    // The least number of binary16, negative.
    assertThat(said.sites().get(0).values()).containsExactly(1, -0x1p-24f);
  }

  @Test
  void shouldSayWhatIsMissingOrDamaged() {
    byte[] unnamed = file("{'v':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}", new byte[4]);
    assertThatThrownBy(() -> SafetensorsFormat.read(unnamed, TensorChoice.AS_NAMED))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("hookPoint");
    TensorChoice placed = new TensorChoice(null, HookPoint.MLP_OUTPUT, null);
    assertThatThrownBy(() -> SafetensorsFormat.read(unnamed, placed)).hasMessageContaining("layer");
    assertThatThrownBy(() -> SafetensorsFormat.read(unnamed, new TensorChoice("w", null, null)))
        .hasMessageContaining("no tensor 'w'; it has [v]");
    for (String header :
        List.of(
            "{'v':{'dtype':'F32','shape':[2],'data_offsets':[0,4]}}",
            "{'v':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}",
            "{'v':{'dtype':'I64','shape':[1],'data_offsets':[0,4]}}",
            "{'v':{'dtype':'F32','shape':[2,2],'data_offsets':[0,4]}}",
            "[]",
            "{")) {
      assertThatThrownBy(
              () ->
                  SafetensorsFormat.read(
                      file(header, new byte[4]), new TensorChoice(null, HookPoint.MLP_INPUT, 1)))
          .as(header)
          .isInstanceOf(RefusedException.class);
    }
    byte[] whole = SafetensorsFormat.write(CONTENT);
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> SafetensorsFormat.read(cut, TensorChoice.AS_NAMED))
          .as("cut at %d", length)
          .isInstanceOf(RefusedException.class);
    }
  }
}
