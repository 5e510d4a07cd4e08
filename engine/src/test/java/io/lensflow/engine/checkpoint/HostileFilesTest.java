package io.lensflow.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Broken and lying safetensors files: an error that names file and tensor, never more. */
class HostileFilesTest {
  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void name() {
    file = folder.resolve("model.safetensors");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} | 7 | t ends at byte 8",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} | 9 | cut or padded",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,99]}} | 8 | t ends at byte 99",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}} | 8 | shape [3] of F32",
        "{\"t\":{\"dtype\":\"F99\",\"shape\":[2],\"data_offsets\":[0,8]}} | 8 | unknown dtype 'F99'",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}} | 8 | has shape [-2]",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}} | 8 | not [begin, end]",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}} | 8 | not [begin, end]",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,1e99]}} | 8 | data_offsets",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2]}} | 8 | t has no data_offsets",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,8]}} | 8 | absurd shape",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"u\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}} | 12 | u overlaps",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"u\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}} | 12 | u leaves a hole",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} | 4 | not JSON",
        "{\"t\":{\"dtype\": | 8 | not JSON",
        "[1,2] | 0 | not a JSON object",
        "{\"t\":7} | 0 | unknown dtype ''",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":\"2\",\"data_offsets\":[0,8]}} | 8 | t has no shape",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}} | 8 | t has shape [2.0]",
        "{\"t\":{\"dtype\":32,\"shape\":[2],\"data_offsets\":[0,8]}} | 8 | unknown dtype '32'",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}} | 8 | t has data_offsets [-8,0]",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[9223372036854775807,9223372036854775807]}} | 0 | t ends at byte 9223372036854775807",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[1,9]}} | 9 | t leaves a hole of 1 bytes",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"u\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} | 4 | overlaps",
        "{\"t\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[0,1]}} | 1 | unknown dtype 'F4'",
        "{} {} | 0 | not JSON",
        "{\"__metadata__\":[]} | 0 | __metadata__ is not an object",
        "{\"__metadata__\":{\"format\":{}}} | 0 | __metadata__ holds 'format', not a string",
      })
  void shouldNameTheFaultWhenAHeaderLies(String header, int dataBytes, String message)
      throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    write(json.length, json, dataBytes);
    assertThatThrownBy(() -> SafetensorsFile.open(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource({"-1", "9223372036854775807", "100000001", "1000", "0"})
  void shouldRefuseWhenTheHeaderLengthIsAbsurd(long length) throws IOException {
    write(length, "{}".getBytes(StandardCharsets.UTF_8), 0);
    assertThatThrownBy(() -> SafetensorsFile.open(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("claims a header of");
  }

  @Test
  void shouldRefuseWhenTheFileIsShorterThanAHeaderLength() throws IOException {
    Files.write(file, new byte[] {1, 2, 3});
    assertThatThrownBy(() -> SafetensorsFile.open(file)).hasMessageContaining("too short");
  }

  @Test
  void shouldRefuseWhenItIsNotARegularFile() throws IOException {
    Files.createDirectory(file);
    assertThatThrownBy(() -> SafetensorsFile.open(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(file + ": not a regular file");
    assertThatThrownBy(() -> SafetensorsFile.open(folder.resolve("x".repeat(300))))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("cannot be read");
  }

  @Test
  void shouldRefuseWhenTheHeaderIsNotUtf8() throws IOException {
    byte[] wide = "{\"t\":1}".getBytes(StandardCharsets.UTF_16LE);
    write(wide.length, wide, 0);
    assertThatThrownBy(() -> SafetensorsFile.open(file)).hasMessageContaining("not JSON");
    byte[] broken = {'{', '"', (byte) 0xFF, '"', ':', '1', '}'};
    write(broken.length, broken, 0);
    assertThatThrownBy(() -> SafetensorsFile.open(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(file + ": its header is not JSON: not UTF-8");
  }

  @Test
  void shouldSayWhichTensorIsMissingOrMisshapen() throws IOException {
    CheckpointFolder missing = new CheckpointFolder(folder);
    missing.shapes().remove("model.norm.weight");
    missing.write();
    assertThatThrownBy(() -> LensHead.load(folder, LensHeadOptions.defaults()))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("tensor model.norm.weight is missing");

    CheckpointFolder misshapen = new CheckpointFolder(folder);
    misshapen.shapes().put("lm_head.weight", new long[] {16, 48});
    misshapen.write();
    assertThatThrownBy(() -> LensHead.load(folder, LensHeadOptions.defaults()))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("lm_head.weight has shape [16, 48]; config.json makes it [48, 16]");
  }

  @Test
  void shouldReadWhatItsWriterWroteWhenAllIsWell() throws IOException {
    new CheckpointFolder(folder).write();
    try (SafetensorsFile written = SafetensorsFile.open(file)) {
      assertThat(written.metadata()).containsEntry("format", "pt");
      assertThat(written.tensor("lm_head.weight").shape()).containsExactly(48L, 16L);
      assertThat(VectorReader.read(written, "model.norm.weight")).hasSize(16);
    }
  }

  private void write(long length, byte[] header, int dataBytes) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(Long.BYTES + header.length + dataBytes)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(length)
            .put(header);
    Files.write(file, bytes.array());
  }
}
