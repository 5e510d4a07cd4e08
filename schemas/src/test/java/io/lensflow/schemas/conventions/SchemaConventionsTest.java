package io.lensflow.schemas.conventions;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What FULL_TRANSITIVE compatibility needs, and what a reader of a schema needs. */
class SchemaConventionsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path FOLDER = Path.of("src/main/avro");

  static List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      List<String> names =
          files
              .map(file -> file.getFileName().toString())
              .filter(n -> n.endsWith(".avsc"))
              .toList();
      assertThat(names).as("schemas in " + FOLDER.toAbsolutePath()).isNotEmpty();
      return names;
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void shouldDocumentEverythingAndDefaultEveryFieldWhenASchemaIsWritten(String file)
      throws IOException {
    JsonNode schema = JSON.readTree(Files.readString(FOLDER.resolve(file)));

    assertThat(file).isEqualTo(schema.path("name").asText() + ".avsc");
    assertThat(schema.path("namespace").asText()).isEqualTo("io.lensflow.records");
    assertThat(schema.path("doc").asText()).as("doc of %s", file).isNotBlank();
    if (schema.path("type").asText().equals("enum")) {
      assertThat(schema.path("default").asText()).isEqualTo("UNKNOWN");
      assertThat(schema.path("symbols").get(0).asText()).isEqualTo("UNKNOWN");
      return;
    }
    for (JsonNode field : schema.path("fields")) {
      String name = file + ": " + field.path("name").asText();
      assertThat(field.path("doc").asText()).as("doc of %s", name).isNotBlank();
      assertThat(field.has("default")).as("%s has a default", name).isTrue();
      assertUnionsAreWithNullOnly(name, field.path("type"));
    }
  }

  private static void assertUnionsAreWithNullOnly(String name, JsonNode type) {
    if (type.isArray()) {
      assertThat(type).as("union of %s", name).hasSize(2);
      assertThat(type.get(0).asText()).as("first branch of %s", name).isEqualTo("null");
    }
    // Arrays, maps and unions nest their types under these names or as elements.
    type.forEach(
        nested -> {
          if (nested.isContainerNode()) {
            assertUnionsAreWithNullOnly(name, nested);
          }
        });
  }
}
