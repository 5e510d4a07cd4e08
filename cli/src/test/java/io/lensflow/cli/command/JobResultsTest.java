package io.lensflow.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where the results of jobs go: what is checked before a job, and what is shown after it. */
class JobResultsTest extends StubbedCommands {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "vectors evaluate v@1 --model m --test 0 --html",
        "vectors evaluate v@1 --model m --test 0 --svg",
        "vectors evaluate v@1 --model m --test 0 --json",
        "vectors build v --model m --layer 1 --out",
      })
  void shouldBeginNoJobWhoseResultCouldNotBeWritten(String line) throws IOException {
    Path data = Files.writeString(folder.resolve("d.jsonl"), "{}");
    String begin = line.substring(0, line.lastIndexOf(' ')) + " --format chat --data " + data;
    String option = line.substring(line.lastIndexOf(' '));

    assertThat(runLine(begin + option + " " + folder.resolve("none/file"))).isEqualTo(1);
    assertThat(errors()).contains(option.strip() + ": ", "none is not there");
    assertThat(runLine(begin + option + " " + folder)).isEqualTo(1);
    assertThat(errors()).contains("it is a folder");
    assertThat(service.asked).isEmpty();
  }

  @Test
  void shouldShowTheResultOfABuildAsATable() {
    service.then(
        200, "{'id': 'j', 'type': 'BUILD', 'result': {'name': 'v', 'version': 3, 'model': 'm'}}");

    assertThat(runLine("vectors jobs show j --table")).isZero();

    assertThat(output()).startsWith("v@3 of m: ");
  }

  @Test
  void shouldSayWhyThereIsNoReport() {
    service
        .then(200, "{'id': 'j', 'type': 'BUILD', 'state': 'SUCCEEDED', 'result': {}}")
        .then(200, "{'id': 'j', 'type': 'EVALUATE', 'state': 'RUNNING', 'result': null}");
    Path html = folder.resolve("report.html");

    assertThat(runLine("vectors jobs show j --html " + html)).isEqualTo(1);
    assertThat(runLine("vectors jobs show j --html " + html)).isEqualTo(1);

    assertThat(errors())
        .contains("job j is no evaluation but a BUILD", "job j has no result: it is RUNNING");
    assertThat(html).doesNotExist();
  }
}
