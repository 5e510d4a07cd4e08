package io.lensflow.bench.soak;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.bench.workload.TemporaryFolder;
import io.lensflow.cli.CommandFailure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A short soak run on the demo model, and what its checker says when a rule is broken on purpose.
 */
class SoakIT {
  private static final long SEED = 5;
  private static final Duration STREAM = Duration.ofSeconds(75);
  private static final int FAULTS = 8;
  private static final double RATE = 4;
  private static final Path MODEL = Path.of("..", "demo-model").toAbsolutePath().normalize();
  private static final String PYTHON =
      Optional.ofNullable(System.getenv(Checker.VARIABLE))
          .filter(name -> !name.isBlank())
          .orElse("python3");

  private static TemporaryFolder folder;
  private static Soak.Verdict verdict;

  @BeforeAll
  static void soak() throws Exception {
    folder = new TemporaryFolder();
    SoakSettings settings =
        new SoakSettings(SEED, STREAM, FAULTS, RATE, MODEL, folder.path().resolve("run"), PYTHON);
    assumeCheckerRuns(settings);
    Soak soak = new Soak(settings, System.out::println);
    verdict = soak.run();
    soak.summary(verdict).forEach(System.out::println);
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
  void shouldFailWhenARuleIsBroken(String how, String said) throws Exception {
    Checker.Result result = judgeBroken(how);
    assertThat(result.output()).contains(said);
    assertThat(result.exitCode()).isEqualTo(1);
  }

  @Test
  void shouldHoldForOneRequestAloneWhenNothingIsBroken() throws Exception {
    Checker.Result result = judgeBroken("nothing");
    assertThat(result.output()).isEmpty();
    assertThat(result.exitCode()).isZero();
  }

  private static Checker.Result judgeBroken(String how) throws Exception {
    Path run = folder.path().resolve("run");
    Path broken = folder.path().resolve(how);
    Path program = Path.of(SoakIT.class.getResource("break_rule.py").toURI());
    Process process =
        new ProcessBuilder(
                PYTHON,
                program.toString(),
                run.resolve("checker").toString(),
                run.toString(),
                broken.toString(),
                how)
            .redirectErrorStream(true)
            .start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(process.waitFor()).as(output).isZero();
    Checker checker = Checker.in(broken, PYTHON);
    Checker.Result result = checker.judge(MODEL);
    assertThat(Files.exists(broken.resolve("summary.json"))).isTrue();
    List<String> lines = result.output().lines().toList();
    assertThat(lines).allSatisfy(line -> assertThat(line).doesNotContain("Traceback"));
    return result;
  }
}
