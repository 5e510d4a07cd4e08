package io.lensflow.bench.soak;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.bench.workload.TemporaryFolder;
import io.lensflow.cli.CommandFailure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/**
 * A short soak run on the demo model, and what its checker says when a rule is broken on purpose.
 */
class SoakIT {
  private static final long SEED = 5;
  private static final Duration STREAM = Duration.ofSeconds(65);
  private static final int FAULTS = 8;
  private static final double RATE = 4;
  private static final Path MODEL = Path.of("..", "demo-model").toAbsolutePath().normalize();
  private static final String PYTHON =
      Optional.ofNullable(System.getenv(Checker.VARIABLE))
          .filter(name -> !name.isBlank())
          .orElse("python3");

  private static final List<String> BREAKS =
      List.of(
          "nothing",
          "row_twice",
          "result_twice",
          "losers_row",
          "missing_chunk",
          "missing_result",
          "altered_row",
          "altered_token",
          "unnamed_steering",
          "no_end",
          "lost_request");

  private static TemporaryFolder folder;
  private static Soak.Verdict verdict;
  private static JsonNode broken;

  @BeforeAll
  static void soak() throws Exception {
    // Every client here says every time that the broker which was killed is not there.
    ((Logger) LoggerFactory.getLogger("org.apache.kafka")).setLevel(Level.ERROR);
    folder = new TemporaryFolder();
    SoakSettings settings =
        new SoakSettings(
            SEED, STREAM, FAULTS, RATE, MODEL, folder.path().resolve("run"), PYTHON, Map.of());
    assumeCheckerRuns(settings);
    Soak soak = new Soak(settings, System.out::println);
    verdict = soak.run();
    soak.summary(verdict).forEach(System.out::println);
    broken = breakRules();
  }

  private static void assumeCheckerRuns(SoakSettings settings) throws Exception {
    try {
      Checker.in(settings.folder(), settings.python());
    } catch (CommandFailure absent) {
      Assumptions.abort("Skipped: " + absent.getMessage());
    }
  }

  @AfterAll
  static void clean() throws IOException {
    folder.close();
  }

  @Test
  void shouldAccountForEveryRequestAndRow() {
    assertThat(verdict.problems()).isEmpty();
    assertThat(verdict.counts().path("rows checked").asInt())
        .isEqualTo(verdict.counts().path("rows settled").asInt())
        .isGreaterThan(10_000);
    assertThat(verdict.counts().path("results checked").asInt()).isGreaterThan(10_000);
    assertThat(verdict.counts().path("tokens checked").asInt()).isGreaterThan(1_000);
  }

  /** Without these the other tests would prove little. */
  @Test
  void shouldHaveStruckEveryPartAndRunRequestsAgain() {
    Map<String, Integer> faults = verdict.faults();
    assertThat(faults.get("kill -9 of a worker")).isGreaterThanOrEqualTo(2);
    assertThat(faults.get("kill -9 of a decoder")).isGreaterThanOrEqualTo(2);
    assertThat(faults.get("kill -9 of a broker")).isGreaterThanOrEqualTo(1);
    assertThat(faults.get("pause beyond the session timeout of a worker"))
        .isGreaterThanOrEqualTo(1);
    assertThat(verdict.counts().path("requests run more than once").asInt()).isPositive();
    assertThat(verdict.counts().path("by outcome").path("CANCELLED").asInt()).isPositive();
  }

  /** What {@code break_rule.py} does to a request, and a word of what the checker says of it. */
  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "row_twice, rows twice",
    "result_twice, came twice",
    "losers_row, came twice",
    "missing_chunk, were announced",
    "missing_result, was never answered",
    "altered_row, away from the engine alone",
    "altered_token, the engine alone chooses",
    "unnamed_steering, names steering []",
    "no_end, never ended",
    "lost_request, does not have it"
  })
  void shouldFailWhenARuleIsBroken(String how, String said) {
    assertThat(broken.path(how)).isNotEmpty();
    assertThat(broken.path(how).toString()).contains(said);
  }

  /** The same way, so that it is the break that is found. */
  @Test
  void shouldHoldForOneRequestAloneWhenNothingIsBroken() {
    assertThat(broken.path("nothing").isArray()).isTrue();
    assertThat(broken.path("nothing")).isEmpty();
  }

  private static JsonNode breakRules() throws Exception {
    Path program = Path.of(SoakIT.class.getResource("break_rule.py").toURI());
    Path run = folder.path().resolve("run");
    Path out = folder.path().resolve("broken");
    List<String> command =
        new ArrayList<>(
            List.of(PYTHON, program.toString(), run.toString(), out.toString(), MODEL.toString()));
    command.addAll(BREAKS);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(process.waitFor()).as(output).isZero();
    return new ObjectMapper().readTree(output);
  }
}
