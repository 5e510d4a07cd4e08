package io.lensflow.cli.steering;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.cli.CommandFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VectorFileTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void setUp() {
    file = folder.resolve("v.json");
  }

  @Test
  void shouldSendTheFileWithoutWhatTheUrlSays() throws IOException {
    Files.writeString(
        file,
        "{\"name\": \"calm\", \"model\": \"m\", \"layer\": 2, \"norm\": 3, \"values\": [1.5]}");

    assertThat(VectorFile.read(file, Optional.empty(), Optional.empty()))
        .isEqualTo(new VectorFile("m", "calm", "{\"layer\":2,\"values\":[1.5]}"));
    assertThat(VectorFile.read(file, Optional.of("other"), Optional.of("bold")).model())
        .isEqualTo("other");
  }

  @Test
  void shouldNameTheFieldThatIsMissing() throws IOException {
    Files.writeString(file, "{\"name\": \"calm\"}");

    assertThatThrownBy(() -> VectorFile.read(file, Optional.empty(), Optional.empty()))
        .isInstanceOf(CommandFailure.class)
        .hasMessageContaining("no field 'model'")
        .hasMessageContaining("--model");
  }

  @Test
  void shouldNameTheFileThatIsNoVector() throws IOException {
    Files.writeString(file, "[1, 2");
    assertThatThrownBy(() -> VectorFile.read(file, Optional.empty(), Optional.empty()))
        .hasMessageContaining("v.json is not JSON");

    Files.writeString(file, "[1, 2]");
    assertThatThrownBy(() -> VectorFile.read(file, Optional.empty(), Optional.empty()))
        .hasMessageContaining("does not hold a JSON object");

    assertThatThrownBy(
            () -> VectorFile.read(folder.resolve("no"), Optional.empty(), Optional.empty()))
        .hasMessageContaining("cannot be read");
  }
}
