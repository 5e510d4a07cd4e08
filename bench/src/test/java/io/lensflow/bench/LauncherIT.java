package io.lensflow.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** {@code bin/lensflow bench} as a user calls it, over what Maven has just packaged. */
class LauncherIT {
  @Test
  void shouldHaveTheCommandInThePackagedProgram() throws Exception {
    Path launcher = Path.of("..", "bin", "lensflow").toAbsolutePath().normalize();
    Process process =
        new ProcessBuilder(launcher.toString(), "bench", "--list")
            .redirectErrorStream(true)
            .start();
    try {
      List<String> lines =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
              .lines()
              .toList();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(lines).hasSameSizeAs(Suite.definitions());
      assertThat(lines.get(0)).startsWith("capture-share-b1 ");
      assertThat(process.exitValue()).isZero();
    } finally {
      process.destroyForcibly();
    }
  }
}
