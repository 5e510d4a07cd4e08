package io.lensflow.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two processes that want the same model at once, as a worker and a decoder do. */
class TwoProcessesIT {
  private static final String WEIGHTS = "model.safetensors";

  @TempDir Path folder;

  /** What a child process runs: fetches the model by what the environment says. */
  static final class Child {
    private Child() {}

    public static void main(String[] id) throws IOException {
      ModelHub.fromEnvironment().resolve(id[0], ModelFiles.ALL, DownloadProgress.SILENT);
    }
  }

  @Test
  void shouldFetchEachFileOnce() throws Exception {
    try (HubTestBed bed = new HubTestBed(folder.resolve("hub"))) {
      bed.server.files.put(WEIGHTS, HubServer.weights(20_000_000));
      bed.server.slow(WEIGHTS);
      List<Process> children = List.of(child(bed, 1), child(bed, 2));
      List<Integer> exits = new ArrayList<>();
      for (Process child : children) {
        assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
        exits.add(child.exitValue());
      }

      assertThat(exits).as(said()).containsExactly(0, 0);
      assertThat(Files.readAllBytes(bed.snapshot().resolve(WEIGHTS)))
          .isEqualTo(bed.server.files.get(WEIGHTS));
      assertThat(bed.server.contentRequests(WEIGHTS)).hasSize(1);
      assertThat(bed.server.listings()).isEqualTo(2);
    }
  }

  private Process child(HubTestBed bed, int number) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            Child.class.getName(),
            HubServer.ID);
    builder.environment().keySet().removeIf(name -> name.startsWith("HF_"));
    builder.environment().put("HF_ENDPOINT", bed.server.endpoint().toString());
    builder.environment().put("HF_HOME", folder.toString());
    return builder
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("child-" + number + ".log").toFile())
        .start();
  }

  private String said() throws IOException {
    return Files.readString(folder.resolve("child-1.log"))
        + Files.readString(folder.resolve("child-2.log"));
  }
}
