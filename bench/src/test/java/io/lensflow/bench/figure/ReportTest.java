package io.lensflow.bench.figure;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
  private static final Figure FIGURE =
      new Figure("some-share-b1", 0.75, "ratio", List.of(0.7, 0.75, 0.8));

  @TempDir Path folder;

  @Test
  void shouldPrintALineForAFigureAndWhatItSaysBelow() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Report.print(
        new PrintStream(bytes, true, StandardCharsets.UTF_8),
        new Finding(FIGURE, Bound.atLeast(0.7, 0.85), "It is bandwidth. ".repeat(8).strip()));

    List<String> lines = bytes.toString(StandardCharsets.UTF_8).lines().toList();
    assertThat(lines.get(0))
        .containsSubsequence(
            "some-share-b1",
            "0.750",
            "ratio",
            "≥ 0.70, aim 0.85",
            "limit kept",
            "0.700 0.750 0.800");
    assertThat(lines).hasSize(3).allSatisfy(line -> assertThat(line.length()).isLessThan(110));
    assertThat(lines.get(1)).startsWith("    It is bandwidth.");
  }

  @Test
  void shouldWriteMachineVersionsAndFigures() throws IOException {
    Path file = folder.resolve("figures.json");
    Report.write(file, Map.of("java", "17"), List.of(FIGURE));

    JsonNode document = new ObjectMapper().readTree(file.toFile());
    assertThat(document.fieldNames())
        .toIterable()
        .containsExactly("machine", "versions", "figures");
    assertThat(document.at("/machine/processors").asInt()).isPositive();
    assertThat(document.at("/versions/java").asText()).isEqualTo("17");
    assertThat(document.get("figures").toString())
        .isEqualTo(
            "[{\"name\":\"some-share-b1\",\"value\":0.75,\"unit\":\"ratio\","
                + "\"samples\":[0.7,0.75,0.8]}]");
  }

  @Test
  void shouldShowThreeDigits() {
    assertThat(List.of(0.9876, 12.34, 123.4, -0.5).stream().map(Report::number))
        .containsExactly("0.988", "12.3", "123", "-0.500");
  }
}
