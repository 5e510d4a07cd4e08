package io.lensflow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class MainTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @ParameterizedTest
  @MethodSource("allCommands")
  void shouldHelpWithEveryCommand(String command) {
    assertThat(run((command + " --help").strip().split(" "))).isZero();
    assertThat(out.toString()).startsWith("Usage: lensflow");
    assertThat(err.toString()).isEmpty();
  }

  static Stream<String> allCommands() {
    return Stream.concat(Stream.of(""), names("", Main.commandLine()));
  }

  @Test
  void shouldSayWhatIsWrongWithAFileWhenJavaOnlyNamesIt() {
    assertThat(Main.message(new AccessDeniedException("model.safetensors")))
        .isEqualTo("model.safetensors: permission denied; let this user read it");
    assertThat(Main.message(new NoSuchFileException("config.json")))
        .isEqualTo("config.json: no such file");
  }

  private static Stream<String> names(String prefix, CommandLine command) {
    return command.getSubcommands().entrySet().stream()
        .flatMap(
            entry ->
                Stream.concat(
                    Stream.of(prefix + entry.getKey()),
                    names(prefix + entry.getKey() + " ", entry.getValue())));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "dance",
        "submit",
        "submit --layers",
        "submit x --no-such-option",
        "watch --since soon",
        "watch --since 1m --from-beginning",
        "capture --model m --output o",
        "capture --model m --output o --prompt a --token-ids 1",
        "up --port many",
        "topics",
        "vectors publish",
        "submit x --color sometimes",
      })
  void shouldAnswerWrongUsageWithTwoAndOneLine(String arguments) {
    assertThat(run(arguments.isEmpty() ? new String[0] : arguments.split(" "))).isEqualTo(2);
    assertThat(err.toString().lines()).singleElement().asString().startsWith("lensflow");
    assertThat(err.toString()).contains("--help");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void shouldSayThatNoBrokerAnswers() throws IOException {
    int port = freePort();

    int status =
        run("submit", "x", "--bootstrap-servers", "127.0.0.1:" + port, "--connect-timeout", "1s");
    assertThat(status).isEqualTo(1);
    assertThat(err.toString().lines())
        .containsExactly(
            "lensflow submit: no Kafka broker answers at 127.0.0.1:%d within 1 s; check bootstrap-servers"
                .formatted(port));
  }

  @Test
  void shouldSayWhichCheckpointIsMissing(@TempDir Path folder) {
    assertThat(run("up", "--model", folder.resolve("nowhere").toString())).isEqualTo(1);
    assertThat(err.toString())
        .contains("there is no folder " + folder.resolve("nowhere"))
        .contains("--model");

    assertThat(run("up", "--model", folder.toString())).isEqualTo(1);
    assertThat(err.toString()).contains(folder + " has no config.json");
  }

  @Test
  void shouldSayThatThePortIsBusyBeforeAnythingStarts(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("config.json"), "{}");
    try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = String.valueOf(busy.getLocalPort());
      int status =
          run(
              "up",
              "--port",
              port,
              "--model",
              folder.toString(),
              "--data-dir",
              folder.resolve("data").toString());

      assertThat(status).isEqualTo(1);
      assertThat(err.toString())
          .contains("port " + port + " is in use by another program")
          .contains("--port");
      assertThat(folder.resolve("data/kafka")).doesNotExist();
    }
  }

  @Test
  void shouldNameAnUnknownSetting() {
    assertThat(run("ingest", "--set", "lensflow.ingest.prot=1")).isEqualTo(1);
    assertThat(err.toString()).contains("lensflow.ingest.prot");
  }

  @Test
  void shouldSayThatTheSteeringServiceIsNotThere() throws IOException {
    int port = freePort();

    assertThat(run("vectors", "list", "--model", "m", "--url", "http://127.0.0.1:" + port))
        .isEqualTo(1);
    assertThat(err.toString().lines()).singleElement().asString().contains("" + port, "--url");
  }

  private int run(String... arguments) {
    CommandLine line = Main.commandLine();
    line.setOut(new PrintWriter(out, true));
    line.setErr(new PrintWriter(err, true));
    return line.execute(arguments);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
