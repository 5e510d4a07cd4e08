package io.lensflow.schemas.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.common.internals.Topic;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopicCatalogueTest {
  private static final String DAY = Long.toString(Duration.ofDays(1).toMillis());

  private final TopicCatalogue catalogue = new TopicCatalogue("", 12, (short) 1);
  private final Map<String, TopicSpec> specs =
      catalogue.specs().stream().collect(Collectors.toMap(TopicSpec::name, Function.identity()));

  @Test
  void shouldListEveryTopicWhenAskedForSpecs() {
    assertThat(specs)
        .containsOnlyKeys(
            "prompt-requests",
            "request-control",
            "completions",
            "activations",
            "lens-results",
            "steering-vectors",
            "steering-aliases",
            "steering-policies",
            "steering-commands",
            "steering-jobs",
            "workers",
            "audit",
            "dead-letters");
  }

  @Test
  void shouldPartitionAlikeWhenTopicsAreKeyedByRequest() {
    List<String> keyedByRequest =
        List.of("prompt-requests", "request-control", "completions", "activations", "lens-results");

    assertThat(keyedByRequest)
        .allSatisfy(name -> assertThat(specs.get(name).partitions()).isEqualTo(12));
    assertThat(catalogue.specs("tiny"))
        .allSatisfy(spec -> assertThat(spec.partitions()).isEqualTo(12));
    assertThat(specs.get("steering-commands").partitions()).isEqualTo(1);
  }

  @Test
  void shouldCompactWhenTopicsHoldState() {
    List<String> compacted =
        List.of(
            "steering-vectors",
            "steering-aliases",
            "steering-policies",
            "steering-jobs",
            "workers");

    specs.forEach(
        (name, spec) ->
            assertThat(spec.configs())
                .as(name)
                .containsEntry("cleanup.policy", compacted.contains(name) ? "compact" : "delete"));
  }

  @Test
  void shouldKeepAsLongAsTheRecordsSayWhenSizesAreDefault() {
    assertThat(retention("prompt-requests")).isEqualTo(Duration.ofDays(7));
    assertThat(retention("request-control")).isEqualTo(Duration.ofDays(1));
    assertThat(retention("steering-commands")).isEqualTo(Duration.ofDays(1));
    assertThat(retention("audit")).isEqualTo(Duration.ofDays(365));
    assertThat(retention("dead-letters")).isEqualTo(Duration.ofDays(30));
    assertThat(retention("completions"))
        .isGreaterThanOrEqualTo(retention("activations").multipliedBy(10));
  }

  @Test
  void shouldBoundActivationsInSixteenSegmentsWhenSizesAreGiven() {
    TopicSizes sizes =
        new TopicSizes(
            Duration.ofDays(2),
            Duration.ofHours(2),
            320L << 20,
            Duration.ofDays(3),
            2 * 1024 * 1024);

    Map<String, TopicSpec> sized =
        new TopicCatalogue("p.", 3, (short) 3, sizes)
            .specs().stream().collect(Collectors.toMap(TopicSpec::name, Function.identity()));

    assertThat(sized.get("p.activations").configs())
        .containsEntry("retention.bytes", Long.toString(320L << 20))
        .containsEntry("segment.bytes", Long.toString(20L << 20))
        .containsEntry("retention.ms", "7200000")
        .containsEntry("max.message.bytes", "2097152")
        .containsEntry("min.insync.replicas", "2");
    assertThat(sized.get("p.completions").configs()).containsEntry("retention.ms", "72000000");
    assertThat(sized.get("p.prompt-requests").configs())
        .containsEntry("retention.ms", Long.toString(2 * Long.parseLong(DAY)));
  }

  @Test
  void shouldTakeDeadLettersLargerThanAnyRecordWhenTheyWrapOne() {
    int largest = Integer.parseInt(specs.get("activations").configs().get("max.message.bytes"));

    assertThat(Integer.parseInt(specs.get("dead-letters").configs().get("max.message.bytes")))
        .isGreaterThan(largest);
  }

  @Test
  void shouldUseTheBrokersClockOnEveryTopic() {
    assertThat(specs.values())
        .allSatisfy(
            spec ->
                assertThat(spec.configs())
                    .containsEntry("message.timestamp.type", "LogAppendTime"));
  }

  @Test
  void shouldPutPrefixAndModelIntoNamesWhenGiven() {
    TopicCatalogue staging = new TopicCatalogue("staging.", 3, (short) 1);

    assertThat(staging.workers()).isEqualTo("staging.workers");
    assertThat(staging.promptRequests("tiny")).isEqualTo("staging.prompt-requests.tiny");
    assertThat(staging.promptRequestsBatch("tiny")).isEqualTo("staging.prompt-requests.tiny.batch");
  }

  @ParameterizedTest
  @ValueSource(strings = {"lensflow-demo", "Llama-3.1-8B_instruct", "a"})
  void shouldKeepAModelsNameWhenItIsSafe(String model) {
    assertThat(TopicCatalogue.topicSafe(model)).isEqualTo(model);
  }

  @ParameterizedTest
  @ValueSource(strings = {"meta-llama/Llama-3.1-8B", "größe", "a b", "chat.batch", "☃"})
  void shouldGiveALegalNameOfItsOwnWhenTheModelsIsNotSafe(String model) {
    String safe = TopicCatalogue.topicSafe(model);

    assertThat(safe).matches("[A-Za-z0-9._-]+-[0-9a-f]{8}").isNotEqualTo(model);
    Topic.validate("prompt-requests." + safe + ".batch");
  }

  @Test
  void shouldTellModelsApartWhenTheirNamesDifferInUnsafeCharactersOnly() {
    assertThat(TopicCatalogue.topicSafe("a/b")).isNotEqualTo(TopicCatalogue.topicSafe("a:b"));
    assertThat(TopicCatalogue.topicSafe("a/b")).isNotEqualTo(TopicCatalogue.topicSafe("a-b"));
    assertThat(TopicCatalogue.topicSafe("x".repeat(300)))
        .isNotEqualTo(TopicCatalogue.topicSafe("x".repeat(301)))
        .hasSizeLessThanOrEqualTo(100);
  }

  @Test
  void shouldNameTheParameterWhenItIsWrong() {
    assertThatThrownBy(() -> new TopicCatalogue("a b", 3, (short) 1))
        .hasMessageContaining("topicPrefix");
    assertThatThrownBy(() -> new TopicCatalogue("", 0, (short) 1))
        .hasMessageContaining("requestPartitions");
    assertThatThrownBy(() -> new TopicCatalogue("", 3, (short) 0))
        .hasMessageContaining("replicationFactor");
    assertThatThrownBy(() -> TopicCatalogue.topicSafe("")).hasMessageContaining("model");
    assertThatThrownBy(
            () ->
                new TopicSizes(
                    Duration.ofDays(1), Duration.ofDays(1), 1024, Duration.ofDays(1), 1 << 20))
        .hasMessageContaining("activationBytesPartition");
  }

  private Duration retention(String topic) {
    return Duration.ofMillis(Long.parseLong(specs.get(topic).configs().get("retention.ms")));
  }
}
