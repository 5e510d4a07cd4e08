package io.lensflow.platform.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.lensflow.platform.broker.SharedBroker;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.IntStream;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.Config;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.SubjectVersion;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The embedded registry as the genuine Confluent client sees it. */
class EmbeddedRegistryIT {
  private static final String ONE = record("{'name':'a','type':'int','default':0}");
  private static final String TWO =
      record("{'name':'a','type':'int','default':0},{'name':'b','type':'string','default':''}");
  private static final String NO_DEFAULT =
      record("{'name':'a','type':'int','default':0},{'name':'c','type':'int'}");
  private static final String OTHER_TYPE = record("{'name':'a','type':'string','default':''}");

  private static EmbeddedRegistry registry;
  private static ConfluentOracle oracle;

  private final String subject = "s-" + UUID.randomUUID() + "-value";

  @BeforeAll
  static void start() {
    registry = EmbeddedRegistry.start(options("_schemas-api", 0));
    oracle = new ConfluentOracle(registry.uri());
  }

  @AfterAll
  static void stop() {
    registry.close();
  }

  @Test
  void shouldGiveBackWhatWasRegisteredWhenAskedInAnyWay() throws Exception {
    int first = oracle.register(subject, ONE);
    int second = oracle.register(subject, TWO);

    assertThat(second).isNotEqualTo(first);
    assertThat(oracle.client.getAllVersions(subject)).containsExactly(1, 2);
    assertThat(oracle.client.getSchemaById(first)).isEqualTo(new AvroSchema(ONE));
    assertThat(oracle.client.getSchemaMetadata(subject, 2).getId()).isEqualTo(second);
    assertThat(oracle.client.getLatestSchemaMetadata(subject).getVersion()).isEqualTo(2);
    assertThat(oracle.client.getId(subject, new AvroSchema(ONE))).isEqualTo(first);
    assertThat(oracle.client.getVersion(subject, new AvroSchema(TWO))).isEqualTo(2);
    assertThat(oracle.client.getAllSubjects()).contains(subject);
    assertThat(oracle.client.getAllSubjectsById(second)).contains(subject);
    assertThat(oracle.client.getAllVersionsById(second)).contains(new SubjectVersion(subject, 2));
    assertThat(oracle.rest.getVersionSchemaOnly(subject, 1))
        .isEqualTo(new AvroSchema(ONE).canonicalString());
    assertThat(oracle.rest.getSchemaTypes()).containsExactly("AVRO");
  }

  @Test
  void shouldKeepTheIdWhenTheSameSchemaComesAgain() throws Exception {
    int id = oracle.register(subject, ONE);

    assertThat(oracle.rest.registerSchema(ONE, subject)).isEqualTo(id);
    assertThat(oracle.register("other-" + subject, ONE)).isEqualTo(id);
    assertThat(oracle.client.getAllVersions(subject)).containsExactly(1);
  }

  @Test
  void shouldRefuseWith409AndReasonsWhenASchemaIsIncompatible() throws Exception {
    oracle.client.updateConfig(subject, new Config("FULL_TRANSITIVE"));
    oracle.register(subject, ONE);

    assertThat(oracle.isCompatible(subject, TWO)).isTrue();
    assertThat(oracle.isCompatible(subject, NO_DEFAULT)).isFalse();
    assertThat(oracle.incompatibilities(subject, NO_DEFAULT).toString())
        .contains("READER_FIELD_MISSING_DEFAULT_VALUE");
    RestClientException e = failure(() -> oracle.register(subject, NO_DEFAULT));
    assertThat(e.getStatus()).isEqualTo(409);
    assertThat(e.getErrorCode()).isEqualTo(409);
    assertThat(e)
        .hasMessageContaining("READER_FIELD_MISSING_DEFAULT_VALUE")
        .hasMessageContaining("c");
    assertThat(oracle.client.getAllVersions(subject)).containsExactly(1);
  }

  /** Versions: {a}, {a,b}, {a}+c without default; each level sees its own share of the trouble. */
  @ParameterizedTest
  @CsvSource({
    "NONE, true, true, true",
    "BACKWARD, true, false, false",
    "FORWARD, true, true, false",
    "FULL, true, false, false",
    "BACKWARD_TRANSITIVE, true, false, false",
    "FORWARD_TRANSITIVE, true, true, false",
    "FULL_TRANSITIVE, true, false, false"
  })
  void shouldJudgeAsTheLevelSaysWhenSchemasChange(
      String level, boolean added, boolean withoutDefault, boolean otherType) throws Exception {
    oracle.client.updateConfig(subject, new Config(level));
    oracle.register(subject, ONE);

    assertThat(oracle.isCompatible(subject, TWO)).isEqualTo(added);
    assertThat(oracle.isCompatible(subject, NO_DEFAULT)).isEqualTo(withoutDefault);
    assertThat(oracle.isCompatible(subject, OTHER_TYPE)).isEqualTo(otherType);
  }

  @ParameterizedTest
  @CsvSource({"BACKWARD, true", "BACKWARD_TRANSITIVE, false"})
  void shouldLookAtEveryVersionWhenTheLevelIsTransitive(String level, boolean compatible)
      throws Exception {
    // 'c' lacks a default: a reader with it can read version 2, which has it, but not version 1.
    oracle.client.updateConfig(subject, new Config("NONE"));
    oracle.register(subject, ONE);
    oracle.register(subject, record("{'name':'c','type':'int','default':0}"));
    oracle.client.updateConfig(subject, new Config(level));

    // By registering: the client's own check asks about the latest version only, and its cache
    // takes schemas for equal that differ in a default.
    String schema = record("{'name':'c','type':'int'}");
    if (compatible) {
      oracle.rest.registerSchema(schema, subject);
      assertThat(oracle.client.getAllVersions(subject)).containsExactly(1, 2, 3);
    } else {
      assertThat(code(() -> oracle.rest.registerSchema(schema, subject))).isEqualTo(409);
    }
  }

  @Test
  void shouldFallBackToTheGlobalLevelWhenTheSubjectHasNone() throws Exception {
    assertThat(oracle.rest.getConfig(null).getCompatibilityLevel()).isEqualTo("BACKWARD");
    RestClientException none = failure(() -> oracle.rest.getConfig(subject));
    assertThat(none.getErrorCode()).isEqualTo(40408);

    oracle.client.updateConfig(subject, new Config("FORWARD"));
    assertThat(oracle.rest.getConfig(subject).getCompatibilityLevel()).isEqualTo("FORWARD");
  }

  @Test
  void shouldAnswerWithConfluentsCodesWhenSomethingIsMissingOrWrong() throws Exception {
    assertThat(code(() -> oracle.client.getAllVersions(subject))).isEqualTo(40401);
    assertThat(code(() -> oracle.client.getId(subject, new AvroSchema(ONE)))).isEqualTo(40401);
    oracle.register(subject, ONE);
    assertThat(code(() -> oracle.client.getId(subject, new AvroSchema(TWO)))).isEqualTo(40403);
    assertThat(code(() -> oracle.client.getSchemaMetadata(subject, 9))).isEqualTo(40402);
    assertThat(code(() -> oracle.rest.getVersion(subject, 0))).isEqualTo(42202);
    assertThat(code(() -> oracle.client.getSchemaById(1_000_000))).isEqualTo(40403);
    assertThat(code(() -> oracle.rest.registerSchema("{\"type\":\"rec", subject))).isEqualTo(42201);
    assertThat(code(() -> oracle.rest.updateCompatibility("BEST", subject))).isEqualTo(42203);
    assertThat(code(() -> oracle.client.deleteSubject(subject, false))).isEqualTo(404);
  }

  @Test
  void shouldKnowEverythingWhenItStartsAgain() throws Exception {
    String topic = "_schemas-restart";
    int id;
    try (EmbeddedRegistry first = EmbeddedRegistry.start(options(topic, 0))) {
      ConfluentOracle before = new ConfluentOracle(first.uri());
      before.client.updateConfig(subject, new Config("FULL_TRANSITIVE"));
      before.client.updateConfig(null, new Config("FULL"));
      before.register("other-value", ONE);
      id = before.register(subject, TWO);
    }

    try (EmbeddedRegistry second = EmbeddedRegistry.start(options(topic, 0))) {
      ConfluentOracle after = new ConfluentOracle(second.uri());
      assertThat(after.client.getSchemaById(id)).isEqualTo(new AvroSchema(TWO));
      assertThat(after.rest.getConfig(subject).getCompatibilityLevel())
          .isEqualTo("FULL_TRANSITIVE");
      assertThat(after.rest.getConfig(null).getCompatibilityLevel()).isEqualTo("FULL");
      assertThat(after.register("new-value", OTHER_TYPE)).isGreaterThan(id);
    }
  }

  @Test
  void shouldNeverGiveAnIdTwiceWhenTwoRegistriesShareATopic() {
    String topic = "_schemas-shared";
    try (EmbeddedRegistry left = EmbeddedRegistry.start(options(topic, 0));
        EmbeddedRegistry right = EmbeddedRegistry.start(options(topic, 0))) {
      List<ConfluentOracle> oracles =
          List.of(new ConfluentOracle(left.uri()), new ConfluentOracle(right.uri()));
      Set<Integer> ids = new ConcurrentSkipListSet<>();

      IntStream.range(0, 8)
          .forEach(
              i ->
                  ids.add(
                      call(
                          () ->
                              oracles
                                  .get(i % 2)
                                  .register(
                                      "s" + i, record("{'name':'f" + i + "','type':'int'}")))));

      assertThat(ids).hasSize(8);
      // Whoever writes has read all before: after one more write, each knows what the other wrote.
      for (ConfluentOracle each : oracles) {
        ids.add(call(() -> each.register("last", record("{'name':'z','type':'int'}"))));
        assertThat(new TreeSet<>(call(() -> each.client.getAllSubjects()))).hasSize(9);
        assertThat(call(() -> each.client.getAllVersions("last"))).containsExactly(1);
        ids.forEach(id -> assertThat(call(() -> each.client.getSchemaById(id))).isNotNull());
      }
      assertThat(ids).hasSize(9);
    }
  }

  @Test
  void shouldNameThePortWhenItIsBusy() {
    assertThatThrownBy(
            () -> EmbeddedRegistry.start(options("_schemas-api", registry.uri().getPort())))
        .isInstanceOf(RegistryStartException.class)
        .hasMessageContaining("Port " + registry.uri().getPort());
  }

  @Test
  void shouldNameTheBrokerWhenItIsNotThere() {
    RegistryOptions nowhere =
        new RegistryOptions(
            "127.0.0.1:1",
            "127.0.0.1",
            0,
            "t",
            Map.of("default.api.timeout.ms", "500", "request.timeout.ms", "500"));

    assertThatThrownBy(() -> EmbeddedRegistry.start(nowhere))
        .isInstanceOf(RegistryStartException.class)
        .hasMessageContaining("127.0.0.1:1");
  }

  private static RegistryOptions options(String topic, int port) {
    return new RegistryOptions(SharedBroker.bootstrapServers(), "127.0.0.1", port, topic, Map.of());
  }

  private static String record(String fields) {
    return ("{'type':'record','name':'R','namespace':'n','fields':[" + fields + "]}")
        .replace('\'', '"');
  }

  private static int code(Executable call) {
    return failure(call).getErrorCode();
  }

  private static RestClientException failure(Executable call) {
    return catchThrowableOfType(RestClientException.class, call::execute);
  }

  private interface Call<T> {
    T make() throws IOException, RestClientException;
  }

  private static <T> T call(Call<T> call) {
    try {
      return call.make();
    } catch (IOException | RestClientException e) {
      throw new AssertionError(e);
    }
  }
}
