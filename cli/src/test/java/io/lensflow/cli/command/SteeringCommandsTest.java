package io.lensflow.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the commands over vectors and policies send, print and end with. */
class SteeringCommandsTest extends StubbedCommands {
  private static final String VECTOR = "/v1/models/m/vectors/v";
  private static final String POLICY = "/v1/models/m/policies/p";

  @TempDir Path folder;

  /** The only call so far. */
  private StubSteering.Asked asked() {
    assertThat(service.asked).hasSize(1);
    return service.asked.get(0);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "vectors list --model a/b | GET /v1/models/a%2Fb/vectors",
        "vectors history v --model m | GET /v1/models/m/vectors/v",
        "vectors status v --model m | GET /v1/models/m/vectors/v/status",
        "vectors diff v --model m | GET /v1/models/m/vectors/v/diff",
        "vectors diff v --model m --from 2 --to production"
            + " | GET /v1/models/m/vectors/v/diff?from=2&to=production",
        "vectors retire v --model m --expect 3 | DELETE /v1/models/m/vectors/v?expectedVersion=3",
        "vectors retire v --model m --version-number 2"
            + " | DELETE /v1/models/m/vectors/v/versions/2",
        "vectors alias v@2 production --model m --delete --expect 2"
            + " | DELETE /v1/models/m/vectors/v/aliases/production?expectedVersion=2",
        "policies list --model m | GET /v1/models/m/policies",
        "policies status p --model m | GET /v1/models/m/policies/p/status",
        "policies history p --model m | GET /v1/models/m/policies/p/history",
        "policies diff p --model m --from 1 --to 4"
            + " | GET /v1/models/m/policies/p/diff?from=1&to=4",
        "policies delete p --model m --expect 4 --wait 5s"
            + " | DELETE /v1/models/m/policies/p?expectedVersion=4&wait=5000ms",
      })
  void shouldAskForWhatTheCommandSaysAndPrintTheAnswer(String line, String call) {
    service.then(200, "{'answer': [1]}");

    assertThat(runLine(line)).isZero();

    assertThat(asked().call()).isEqualTo(call);
    assertThat(output()).contains("\"answer\"");
    assertThat(errors()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "vectors list",
        "vectors alias v --model m",
        "vectors alias @2 production --model m",
        "vectors rollback --model m",
        "vectors rollback v --model m --to first",
        "vectors combine bold --model m",
        "vectors combine bold --model m --term v",
        "vectors combine bold --model m --term v=much",
        "vectors combine bold --model m --term @2=1",
        "vectors combine bold --model m --term v=1 --orthogonal-to v@",
        "vectors similarity --model m",
        "vectors export v@1 --model m",
        "vectors import file --model m",
        "policies set p",
        "policies set p --model m --match red",
        "policies rollback --model m",
        "policies delete p --model m --wait soon",
      })
  void shouldAskNothingWhenTheUsageIsWrong(String line) {
    assertThat(runLine(line)).isEqualTo(2);

    assertThat(service.asked).isEmpty();
    assertThat(errors().lines()).singleElement().asString().startsWith("lensflow");
    assertThat(errors()).contains("--help");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "vectors retire v --model m --version-number 2 --expect 3 | --expect: not with",
        "vectors alias v production --model m --delete --wait | --wait: not with --delete",
        "vectors alias v production --model m --delete --wait 5s | --wait: not with --delete",
      })
  void shouldAskNothingWhenAnOptionWouldBeIgnored(String line, String message) {
    assertThat(runLine(line)).isEqualTo(1);

    assertThat(service.asked).isEmpty();
    assertThat(errors()).contains(message);
  }

  private int build() throws IOException {
    Path data = Files.writeString(folder.resolve("d.jsonl"), "{}");
    String options = "--model m --format chat --layer 1 --data " + data;
    return run(("vectors build v " + options).split(" "));
  }

  @Test
  void shouldWaitForAJobThatTheInstanceAskedDoesNotKnowYet() throws IOException {
    service
        .then(202, "{'id': 'j1'}")
        .then(404, "{'error': {'message': 'there is no job j1'}}")
        .then(200, "{'id': 'j1', 'state': 'SUCCEEDED', 'result': {'name': 'v', 'version': 3}}");

    assertThat(build()).as(errors()).isZero();

    assertThat(service.asked)
        .extracting(StubSteering.Asked::call)
        .containsExactly("POST /v1/models/m/builds", "GET /v1/jobs/j1", "GET /v1/jobs/j1");
    assertThat(output()).contains("v@3");
  }

  @Test
  void shouldEndWhenAJobThatWasSeenIsGone() throws IOException {
    service
        .then(202, "{'id': 'j1'}")
        .then(200, "{'id': 'j1', 'state': 'RUNNING'}")
        .then(404, "{'error': {'message': 'there is no job j1'}}");

    assertThat(build()).isEqualTo(1);

    assertThat(errors()).contains("there is no job j1");
  }

  @Test
  void shouldPointAnAliasAtTheVersionThatItsNameMeans() {
    service.then(200, "{'version': 7}").then(200, "{'alias': 'production', 'version': 7}");

    assertThat(runLine("vectors alias v@staging production --model m --expect 3")).isZero();

    assertThat(service.asked)
        .extracting(StubSteering.Asked::call)
        .containsExactly(
            "GET " + VECTOR + "/versions/staging", "PUT " + VECTOR + "/aliases/production");
    assertThat(service.asked.get(1).body()).isEqualTo("{\"version\":7,\"expectedVersion\":3}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "vectors rollback v --model m | POST " + VECTOR + "/rollback | {}",
        "vectors rollback v --model m --alias production --to 2 --expect 5 | POST "
            + VECTOR
            + "/rollback | {\"alias\":\"production\",\"to\":2,\"expectedVersion\":5}",
        "policies rollback p --model m | POST " + POLICY + "/rollback | {}",
        "policies rollback p --model m --to 3 --expect 4 --wait | POST "
            + POLICY
            + "/rollback?wait=30000ms | {\"to\":3,\"expectedVersion\":4}",
        "vectors combine w --model m --term v=1 --term u@2=-0.5 --orthogonal-to l@production"
            + " | POST /v1/models/m/vectors/w/combine | {\"terms\":[{\"name\":\"v\",\"weight\":1.0},"
            + "{\"name\":\"u\",\"version\":2,\"weight\":-0.5}],"
            + "\"orthogonalTo\":[{\"name\":\"l\",\"alias\":\"production\"}]}",
        "policies set p --model m --match team=red --disabled --description why | PUT "
            + POLICY
            + " | {\"enabled\":false,\"matchLabels\":{\"team\":\"red\"},\"steering\":[],"
            + "\"description\":\"why\"}",
      })
  void shouldSendWhatTheCommandSays(String line, String call, String body) {
    assertThat(runLine(line)).isZero();

    assertThat(asked().call()).isEqualTo(call);
    assertThat(asked().body()).isEqualTo(body);
  }

  @ParameterizedTest
  @CsvSource({"APPLIED, 0", "GONE, 0", "REFUSED, 3", "PENDING, 3"})
  void shouldEndAsTheWorkersSay(String state, int code) {
    service.then(200, "{'rollout': {'workers': [{'worker': 'w', 'state': '" + state + "'}]}}");

    assertThat(runLine("policies set p --model m --steer v=-1 --wait")).isEqualTo(code);

    assertThat(asked().body()).contains("\"steering\":[{\"name\":\"v\",\"multiplier\":-1.0}]");
  }

  @Test
  void shouldSayInOneLineWhatTheServiceRefuses() {
    service.then(
        409, "{'error': {'code': 'OUTDATED', 'field': 'expectedVersion', 'message': 'it is 4'}}");

    assertThat(runLine("policies rollback p --model m --expect 3")).isEqualTo(1);

    assertThat(errors()).isEqualTo("lensflow policies rollback: expectedVersion: it is 4\n");
    assertThat(output()).isEmpty();
  }

  @Test
  void shouldShowCosinesAsATable() {
    service.then(
        200,
        "{'items': [{'name': 'v', 'version': 1, 'hookPoint': 'MLP_OUTPUT', 'layer': 3},"
            + " {'name': 'u', 'version': 12, 'hookPoint': 'MLP_OUTPUT', 'layer': 3}],"
            + " 'cosines': [[1, -0.25], [-0.25, 1]]}");

    assertThat(runLine("vectors similarity v u@12 --model m --layers 3 --hook-point MLP_OUTPUT"))
        .isZero();

    assertThat(asked().call())
        .isEqualTo("GET /v1/models/m/similarity?vectors=v%2Cu%4012&layers=3&hookPoint=MLP_OUTPUT");
    assertThat(output().lines())
        .containsExactly(
            "                            1      2",
            "  1  v@1 MLP_OUTPUT/3   1.000 -0.250",
            "  2  u@12 MLP_OUTPUT/3 -0.250  1.000");
  }

  @Test
  void shouldWriteAFileAndItsWarning() throws IOException {
    Path file = folder.resolve("v.GGUF");
    service.then(200, new byte[] {1, 2, 3}, Map.of("Lensflow-Warning", "positions get lost"));

    assertThat(run("vectors", "export", "v@production", file.toString(), "--model", "m")).isZero();

    assertThat(asked().call()).isEqualTo("GET " + VECTOR + "/versions/production/file?format=gguf");
    assertThat(Files.readAllBytes(file)).containsExactly(1, 2, 3);
    assertThat(errors()).isEqualTo("warning: positions get lost\n");
    assertThat(output()).contains("3 bytes");
  }

  @Test
  void shouldSendAFileWithWhatItDoesNotSay() throws IOException {
    Path file = folder.resolve("other.safetensors");
    Files.writeString(file, "tensors");

    assertThat(
            run(
                ("vectors import %s v --model m --tensor t --hook-point MLP_OUTPUT --layer 3"
                        + " --any-model --expect 0")
                    .formatted(file)
                    .split(" ")))
        .isZero();

    assertThat(asked().call())
        .isEqualTo(
            "POST "
                + VECTOR
                + "/import?format=safetensors&tensor=t&hookPoint=MLP_OUTPUT&layer=3&anyModel=true"
                + "&expectedVersion=0");
    assertThat(asked().body()).isEqualTo("tensors");
  }

  @Test
  void shouldNameTheFileThatIsMissing() {
    assertThat(run("vectors", "import", folder + "/none.gguf", "v", "--model", "m")).isEqualTo(1);

    assertThat(service.asked).isEmpty();
    assertThat(errors()).contains("none.gguf cannot be read");
  }

  @Test
  void shouldFollowToTheWriterAndShowItTheToken() throws IOException {
    Path token = folder.resolve("token");
    Files.writeString(token, "secret-of-16-chars\n");
    try (StubSteering writer = new StubSteering()) {
      service.then(307, new byte[0], Map.of("Location", writer.uri() + POLICY + "/rollback"));

      assertThat(runLine("policies rollback p --model m --token-file " + token)).isZero();

      assertThat(writer.asked).hasSize(1);
      assertThat(writer.asked.get(0).authorization()).isEqualTo("Bearer secret-of-16-chars");
      assertThat(writer.asked.get(0).body()).isEqualTo("{}");
    }
  }

  @Test
  void shouldSayThatNothingAnswers() {
    service.close();

    assertThat(runLine("policies list --model m")).isEqualTo(1);

    assertThat(errors()).contains("does not answer", "--url");
  }
}
