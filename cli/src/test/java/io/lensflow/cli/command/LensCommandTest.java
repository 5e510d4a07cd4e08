package io.lensflow.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.cli.Main;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.lens.TranslatorInfo;
import io.lensflow.engine.lens.TranslatorWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LensCommandTest {
  private final PrintStream standardOutput = System.out;
  private final PrintStream standardError = System.err;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @TempDir private Path folder;

  @BeforeEach
  void catchOutput() {
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void giveOutputBack() {
    System.setOut(standardOutput);
    System.setErr(standardError);
  }

  @Test
  void shouldShowWhatAFileSaysAboutItself() throws IOException {
    Path file = write("tuned");

    assertThat(Main.run("lens", "show", file.toString())).isZero();

    assertThat(text(out))
        .contains("name         tuned")
        .contains("kind         linear")
        .contains("hook point   mlp_output")
        .contains("layers       0-1")
        .contains("hidden size  2")
        .contains("stored as    F32")
        .contains("training     not said");
  }

  @Test
  void shouldListAFolderAndSayWhichFileIsBroken() throws IOException {
    write("tuned");
    Files.writeString(folder.resolve("broken.safetensors"), "no safetensors at all");
    Files.writeString(folder.resolve("notes.txt"), "not looked at");

    assertThat(Main.run("lens", "list", folder.toString())).isEqualTo(1);

    assertThat(text(out).lines()).hasSize(2);
    assertThat(text(out)).contains("tuned").contains("mlp_output").contains("tuned.safetensors");
    assertThat(text(err)).contains("broken.safetensors").doesNotContain("notes.txt");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "logit --rows 10 | 'logit' is no name for a lens",
        "my/lens --rows 10 | 'my/lens' is no name for a lens",
        "tuned --rows 0 | --rows",
        "tuned --rows 10 --held-out 0.9 | --held-out",
        "tuned --rows 10 --from yesterday | 'yesterday' is neither a time",
        "tuned --rows 10 --from 2h --live | --live",
        "tuned --rows 10 --hook-point residual | 'residual' is none of",
      })
  void shouldRefuseAFitByItsOption(String options, String message) {
    String[] command =
        ("lens fit " + options + " --model " + folder + " --out " + folder.resolve("lens"))
            .split(" ");

    assertThat(Main.run(command)).isNotZero();
    assertThat(text(err)).contains(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "--from 1h --share 0 | --share",
        "--from 1h --share 1.5 | --share",
        "--from 1h --to 2h | --to",
        "--from 1h --request r | --request",
        "--from 1h --lens none | --lens",
        "--from 1h --project calm@1 | --project",
        "--to 1h | --request",
      })
  void shouldRefuseAReplayByItsOption(String options, String message) {
    String[] command = ("replay " + options + " --to-topic again --model " + folder).split(" ");

    assertThat(Main.run(command)).isNotZero();
    assertThat(text(err)).contains(message);
  }

  private Path write(String name) throws IOException {
    TranslatorInfo info =
        new TranslatorInfo(
            name,
            TranslatorInfo.Kind.LINEAR,
            "tiny",
            "0123",
            HookPoint.MLP_OUTPUT,
            "by hand",
            "",
            "");
    TranslatorWriter writer = new TranslatorWriter(info, 2);
    writer.add(0, ByteBuffer.allocate(16), null);
    writer.add(1, ByteBuffer.allocate(16), null);
    Path file = folder.resolve(name + ".safetensors");
    writer.write(file);
    return file;
  }

  private static String text(ByteArrayOutputStream bytes) {
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
