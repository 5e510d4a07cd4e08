package io.lensflow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.testkit.Await;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/lensflow} as a user calls it, over what Maven has just packaged. */
class LauncherIT {
  private static final Path LAUNCHER =
      Path.of("..", "bin", "lensflow").toAbsolutePath().normalize();
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  @TempDir Path folder;

  @Test
  void shouldRunThroughALinkFromAnywhere() throws Exception {
    Path link = Files.createSymbolicLink(folder.resolve("lf"), LAUNCHER);
    Process process = start(link, "--version");

    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
    assertThat(said("out")).startsWith("lensflow 0");
    Files.delete(link); // JUnit would warn that its target stays
  }

  @Test
  void shouldSayThatJavaIsNotWhereItShouldBe() throws Exception {
    ProcessBuilder builder = builder(LAUNCHER, "--version");
    builder.environment().put("JAVA_HOME", folder.resolve("nowhere").toString());
    Process process = builder.start();

    assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(1);
    assertThat(Files.readString(folder.resolve("err")))
        .startsWith("lensflow: JAVA_HOME is ")
        .contains("has no bin/java");
  }

  @Test
  void shouldPassExitCodesOn() throws Exception {
    Process process = start(LAUNCHER, "submit");

    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(2);
    assertThat(Files.readString(folder.resolve("err"))).startsWith("lensflow submit: ");
  }

  @Test
  void shouldRunAModelThatAnotherToolDownloaded() throws Exception {
    Path shipped = LAUNCHER.getParent().resolveSibling("demo-model");
    Assumptions.assumeTrue(Files.isDirectory(shipped), () -> shipped + " is not there");
    Path model = folder.resolve("hf/hub/models--org--tiny");
    String commit = "0123456789abcdef0123456789abcdef01234567";
    Path snapshot = Files.createDirectories(model.resolve("snapshots").resolve(commit));
    try (Stream<Path> files = Files.list(shipped)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, snapshot.resolve(file.getFileName()));
      }
    }
    Files.writeString(Files.createDirectories(model.resolve("refs")).resolve("main"), commit);
    ProcessBuilder builder =
        builder(
            LAUNCHER,
            "capture",
            "--model=org/tiny",
            "--prompt=The capital of France is",
            "--max-new-tokens=2",
            "--output=" + folder.resolve("rows.safetensors"));
    builder.environment().put("HF_HOME", folder.resolve("hf").toString());
    builder.environment().remove("HF_HUB_CACHE");
    builder.environment().put("HF_HUB_OFFLINE", "1");
    Process process = builder.start();

    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(said("err")).isZero();
    assertThat(said("out")).contains("Paris");
    try (InputStream rows = Files.newInputStream(folder.resolve("rows.safetensors"))) {
      assertThat(new String(rows.readNBytes(4096), StandardCharsets.UTF_8))
          .contains("\"model\":\"tiny\"");
    }
  }

  @Test
  void shouldLeaveNoProcessAndNoLockWhenToldToEnd() throws Exception {
    Path model = LAUNCHER.getParent().resolveSibling("demo-model");
    Assumptions.assumeTrue(Files.isDirectory(model), () -> model + " is not there");
    Process process =
        start(
            LAUNCHER,
            "up",
            "--data-dir",
            folder.resolve("data").toString(),
            "--port=0",
            "--steering-port=0",
            "--kafka-port=0",
            "--registry-port=0");
    List<ProcessHandle> children = new ArrayList<>();
    try {
      Await.until("ready", PATIENCE, () -> !process.isAlive() || said("err").contains("Ready."));
      assertThat(process.isAlive()).as(said("err")).isTrue();
      process.descendants().forEach(children::add);
      assertThat(children).hasSize(1);
      process.destroy(); // SIGTERM
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }

    assertThat(children).noneMatch(ProcessHandle::isAlive);
    assertThat(isLocked(folder.resolve("data/kafka/broker.lock"))).isFalse();
    assertThat(said("err")).doesNotContain("lensflow up:");
    assertThat(said("out")).isEmpty();
  }

  private static boolean isLocked(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      return lock == null;
    }
  }

  private String said(String stream) {
    try {
      return Files.readString(folder.resolve(stream), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private Process start(Path launcher, String... arguments) throws IOException {
    return builder(launcher, arguments).start();
  }

  private ProcessBuilder builder(Path launcher, String... arguments) {
    List<String> command = new ArrayList<>(List.of(launcher.toString()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command)
        .directory(folder.toFile())
        .redirectOutput(folder.resolve("out").toFile())
        .redirectError(folder.resolve("err").toFile());
  }
}
