package io.lensflow.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.bench.checkpoint.RandomCheckpoint;
import io.lensflow.bench.checkpoint.Shape;
import io.lensflow.bench.figure.Definition;
import io.lensflow.cli.Main;
import io.lensflow.cli.command.Subcommand;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchCommandTest {
  @TempDir Path folder;

  @Test
  void shouldBeFoundByTheCommandLine() {
    assertThat(ServiceLoader.load(Subcommand.class))
        .anySatisfy(command -> assertThat(command).isInstanceOf(BenchCommand.class));
    assertThat(Main.run("bench", "--list")).isZero();
    assertThat(Main.run("bench", "--help")).isZero();
  }

  @Test
  void shouldNameEveryFigureOnce() {
    assertThat(Suite.definitions()).extracting(Definition::name).doesNotHaveDuplicates();
  }

  @Test
  void shouldRefuseWhatItCannotMeasure() {
    assertThat(Main.run("bench")).isEqualTo(2);
    assertThat(Main.run("bench", "--model", folder.toString(), "--only", "no-such")).isEqualTo(2);
    assertThat(Main.run("bench", "--model", folder.toString(), "--rounds", "2")).isEqualTo(2);
    assertThat(Main.run("bench", "--model", folder.resolve("nowhere").toString())).isEqualTo(1);
    assertThat(Main.run("bench", "--model", folder.toString())).isEqualTo(1);
  }

  @Test
  void shouldMeasureWhatIsAskedForAndWriteIt() throws IOException {
    Path model = folder.resolve("model");
    Path json = folder.resolve("figures.json");
    new RandomCheckpoint(Shape.TINY, 1).write(model);

    assertThat(
            Main.run(
                "bench",
                "--model",
                model.toString(),
                "--only",
                "lens-batch-speedup-256,linear-share-b1,limit-share-b16",
                "--json",
                json.toString()))
        .isZero();

    JsonNode document = new ObjectMapper().readTree(json.toFile());
    assertThat(document.get("figures").findValuesAsText("name"))
        .containsExactly("linear-share-b1", "limit-share-b16", "lens-batch-speedup-256");
    for (JsonNode figure : document.get("figures")) {
      assertThat(figure.get("value").asDouble()).isPositive();
      assertThat(figure.get("samples")).hasSize(5);
    }
    assertThat(document.at("/versions/pytorch").asText()).startsWith("2.");
  }
}
