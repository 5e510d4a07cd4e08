package io.lensflow.bench.soak;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.bench.workload.TemporaryFolder;
import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.option.ConnectionOptions;
import io.lensflow.client.LensflowClient;
import io.lensflow.client.follow.LensRow;
import io.lensflow.client.follow.SettledRequest;
import io.lensflow.client.follow.SettledStream;
import io.lensflow.client.follow.Subscription;
import io.lensflow.records.LensResult;
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
  private static final Path EXAMPLE = MODEL.resolveSibling("docs/examples/settled.py");
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
  private static SoakSettings settings;
  private static Soak.Verdict verdict;
  private static JsonNode broken;

  @BeforeAll
  static void soak() throws Exception {
    // Every client here says every time that the broker which was killed is not there.
    ((Logger) LoggerFactory.getLogger("org.apache.kafka")).setLevel(Level.ERROR);
    folder = new TemporaryFolder();
    settings =
        new SoakSettings(
            SEED, STREAM, FAULTS, RATE, MODEL, folder.path().resolve("run"), PYTHON, Map.of());
    assumeCheckerRuns();
    Soak soak = new Soak(settings, System.out::println);
    verdict = soak.run();
    soak.summary(verdict).forEach(System.out::println);
    broken = breakRules();
  }

  private static void assumeCheckerRuns() throws Exception {
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
    assertThat(broken.path(how).path("problems").toString()).contains(said);
  }

  /** The same way, so that it is the break that is found. */
  @Test
  void shouldHoldForOneRequestAloneWhenNothingIsBroken() {
    assertThat(broken.path("nothing").path("problems").isArray()).isTrue();
    assertThat(broken.path("nothing").path("problems")).isEmpty();
  }

  private static JsonNode breakRules() throws Exception {
    List<String> arguments = new ArrayList<>();
    arguments.add(Path.of(SoakIT.class.getResource("break_rule.py").toURI()).toString());
    arguments.add(settings.folder().toString());
    arguments.add(folder.path().resolve("broken").toString());
    arguments.add(MODEL.toString());
    arguments.addAll(BREAKS);
    return new ObjectMapper().readTree(python(arguments));
  }

  /** The checker's rule is one of three: a request with rows of a loser is the same under all. */
  @Test
  void shouldSettleTheSameInJavaAndInTheExampleWhenALoserHasRowsToo() throws Exception {
    String request = broken.path("losers_row").path("request").asText();
    try (Deployment again = Deployment.start(settings);
        LensflowClient client = LensflowClient.open(ConnectionOptions.client(again.kafka()));
        SettledStream stream = client.settled(Subscription.to(request, Duration.ofSeconds(30)))) {
      SettledRequest settled = SettledRequest.gather(stream, Duration.ofMinutes(1));
      List<String> java =
          settled.results().stream()
              .flatMap(result -> LensRow.of(result).stream().map(row -> place(result, row)))
              .toList();
      String printed =
          python(
              List.of(
                  EXAMPLE.toString(),
                  "--bootstrap-servers=" + again.kafka().bootstrapServers(),
                  "--schema-registry=" + again.kafka().schemaRegistry(),
                  request));
      assertThat(settled.results())
          .isNotEmpty()
          .extracting(LensResult::getAttemptId)
          .containsOnly(settled.terminal().getAttemptId());
      assertThat(java).doesNotHaveDuplicates();
      assertThat(printed.lines().map(SoakIT::place)).containsExactlyElementsOf(java);
    }
  }

  private static String place(LensResult result, LensRow row) {
    return "%s %s %s %d %d"
        .formatted(
            result.getAttemptId(), result.getLens(), row.hookPoint(), row.layer(), row.position());
  }

  private static String place(String line) {
    try {
      JsonNode row = new ObjectMapper().readTree(line);
      return "%s %s %s %d %d"
          .formatted(
              row.path("attempt").asText(),
              row.path("lens").asText(),
              row.path("hookPoint").asText(),
              row.path("layer").asInt(),
              row.path("position").asInt());
    } catch (JsonProcessingException e) {
      throw new AssertionError("not a row: " + line, e);
    }
  }

  private static String python(List<String> arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(PYTHON));
    command.addAll(arguments);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }
}
