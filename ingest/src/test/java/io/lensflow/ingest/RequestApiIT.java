package io.lensflow.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.records.CompletionType;
import io.lensflow.records.ControlType;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.RequestControl;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.ids.Partitions;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.topics.TopicProvisioner;
import io.lensflow.service.KafkaSettings;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sending, looking up and cancelling over HTTP; the test plays two workers of two models. */
@ExtendWith(KafkaExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RequestApiIT {
  private static final String TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  private Stage stage;
  private IngestService ingest;
  private KafkaEnvironment kafka;

  @BeforeAll
  void start(KafkaEnvironment environment) throws Exception {
    kafka = environment;
    kafka.createTopics();
    try (var admin = kafka.admin()) {
      TopicProvisioner.create(admin, kafka.catalogue().specs("other"));
    }
    stage = new Stage(kafka);
    stage.serve("m", kafka.catalogue().promptRequests());
    stage.serve("other", kafka.catalogue().promptRequests("other"));
    ingest = start(stage.settings, Map.of("lensflow.ingest.allowed-origins", "https://ok.example"));
    Await.until(
        "two live models",
        Duration.ofSeconds(20),
        () -> get("/v1/models").path("models").size() == 2);
  }

  @AfterAll
  void stop() {
    ingest.close();
    stage.close();
  }

  private static IngestService start(KafkaSettings kafka, Map<String, Object> more)
      throws IOException {
    Map<String, Object> overrides = new HashMap<>(more);
    overrides.putIfAbsent("lensflow.ingest.port", 0);
    return IngestService.start(IngestSettings.load(overrides), kafka);
  }

  @Test
  void shouldPutTheRequestOnItsModelsTopicWhenItIsAccepted() throws Exception {
    HttpResponse<String> response =
        Http.send(
            ingest.port(),
            "POST",
            "/v1/requests",
            "{\"prompt\": \"Hello\", \"model\": \"other\", \"labels\": {\"a\": \"b\"}}",
            "traceparent",
            TRACE);

    assertThat(response.statusCode()).isEqualTo(202);
    String id = Http.json(response).path("requestId").textValue();
    assertThat(Ids.timeOf(id)).isPresent();
    assertThat(Http.json(response).path("events").textValue())
        .isEqualTo("/v1/requests/" + id + "/events");
    assertThat(response.headers().firstValue("Location")).contains("/v1/requests/" + id);
    ConsumerRecord<byte[], byte[]> record = only(kafka.catalogue().promptRequests("other"), id);
    PromptRequest request = decode(record, PromptRequest.class);
    assertThat(request.getRequestId()).isEqualTo(id);
    assertThat(request.getModel()).isEqualTo("other");
    assertThat(request.getPrompt().getText()).isEqualTo("Hello");
    assertThat(request.getLabels()).isEqualTo(Map.of("a", "b"));
    assertThat(LensflowHeaders.get(record.headers(), LensflowHeaders.TRACEPARENT)).contains(TRACE);
    assertThat(LensflowHeaders.get(record.headers(), LensflowHeaders.REQUEST)).contains(id);
    assertThat(LensflowHeaders.get(record.headers(), LensflowHeaders.TYPE))
        .contains("PromptRequest");
  }

  @Test
  void shouldMakeATraceWhenTheCallerHasNone() throws Exception {
    String id = submit("{\"prompt\": \"Hello\", \"model\": \"m\"}");

    assertThat(
            LensflowHeaders.get(
                    only(kafka.catalogue().promptRequests(), id).headers(),
                    LensflowHeaders.TRACEPARENT)
                .orElseThrow())
        .matches("00-[0-9a-f]{32}-[0-9a-f]{16}-00");
  }

  @Test
  void shouldOrderCancellationWhenARequestIsDeleted() throws Exception {
    String id = Ids.newId();

    HttpResponse<String> response =
        Http.send(ingest.port(), "DELETE", "/v1/requests/" + id + "?reason=enough", null);

    assertThat(response.statusCode()).isEqualTo(202);
    RequestControl order =
        decode(only(kafka.catalogue().requestControl(), id), RequestControl.class);
    assertThat(order.getType()).isEqualTo(ControlType.CANCEL);
    assertThat(order.getReason()).isEqualTo("enough");
  }

  @Test
  void shouldTellTheStateWhenItChanges() throws Exception {
    String id = submit("{\"prompt\": \"Hello\", \"model\": \"m\"}");
    assertThat(get("/v1/requests/" + id).path("state").textValue()).isEqualTo("QUEUED");

    Stage.Attempt first = stage.attempt(id, 1).accepted().token(2, "a");
    JsonNode running = get("/v1/requests/" + id);
    assertThat(running.path("state").textValue()).isEqualTo("RUNNING");
    assertThat(running.path("worker").textValue()).isEqualTo("worker-m");
    assertThat(running.path("generatedTokens").intValue()).isEqualTo(1);

    first.ended(CompletionType.ATTEMPT_FAILED, "lost a rank");
    stage.attempt(id, 2).accepted().token(2, "b").token(3, "c").finished(0);
    JsonNode finished = get("/v1/requests/" + id);
    assertThat(finished.path("state").textValue()).isEqualTo("FINISHED");
    assertThat(finished.path("attempts").intValue()).isEqualTo(2);
    assertThat(finished.path("outcome").path("text").textValue()).isEqualTo("text of 2");

    HttpResponse<String> unknown = Http.get(ingest.port(), "/v1/requests/" + Ids.newId());
    assertThat(unknown.statusCode()).isEqualTo(404);
    assertThat(Http.json(unknown).path("error").path("code").textValue())
        .isEqualTo("REQUEST_NOT_FOUND");
  }

  @Test
  void shouldDescribeLiveModelsWhenAsked() throws Exception {
    JsonNode model = get("/v1/models").path("models").get(0);

    assertThat(model.path("name").textValue()).isEqualTo("m");
    assertThat(model.path("layers").intValue()).isEqualTo(Stage.LAYERS);
    assertThat(model.path("free").intValue()).isEqualTo(3);
    assertThat(model.path("workers").get(0).path("vectors").get(0).path("name").textValue())
        .isEqualTo("calm");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'prompt': 'x'}                                              | 400 | INVALID_REQUEST | model                | m, other",
        "{'prompt': 'x', 'model': 'gpt'}                              | 404 | MODEL_NOT_FOUND | model                | m, other",
        "{'prompt': 'x', 'model': 'm', 'capture': {'layers': '0-2'}}  | 400 | INVALID_REQUEST | capture.layers       | 0 … 1",
        "{'prompt': 'x', 'model': 'm', 'capture': {'layers': [-3]}}   | 400 | INVALID_REQUEST | capture.layers       | 0 … 1",
        "{'prompt': 'x', 'model': 'm', 'capture': {'positions': 'y'}} | 400 | INVALID_REQUEST | capture.positions    | last_prompt",
        "{'prompt': 'x', 'model': 'm', 'steering': [{'name': 'calm', 'layers': '7'}]} | 400 | INVALID_REQUEST | steering[0].layers | 0 … 1",
        "{'tokenIds': [1, 100], 'model': 'm'}                         | 400 | INVALID_REQUEST | prompt.tokenIds[1]   | 0 … 99",
        "{'tokenIds': [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1], 'model': 'm'} | 400 | INVALID_REQUEST | prompt.tokenIds     | at most 15",
        "{'prompt': 'x', 'model': 'm', 'lenses': [{'targetIds': [100]}]} | 400 | INVALID_REQUEST | lenses[0].targetIds[0] | 0 … 99",
        "{'prompt': 'x', 'model': 'm', 'lenses': ['no lens']}         | 400 | INVALID_REQUEST | lenses[0].name       | logit",
        "{'prompt': 'x', 'model': 'm', 'lenses': [{'metrics': []}    ]} | 400 | INVALID_REQUEST | lenses[0].metrics  | ENTROPY",
        "{'prompt': 'x', 'model': 'm', 'lenses': [{'metrics': ['PROJECTIONS']}]} | 400 | INVALID_REQUEST | lenses[0].projections | calm@3",
        "{'prompt': 'x', 'model': 'm', 'revision': 'r2'}              | 400 | INVALID_REQUEST | revision             | r1",
        "{'prompt': 'x', 'model': 'm', 'deadline': '8d'}              | 400 | INVALID_REQUEST | deadline             | ahead",
        "{'prompt': 'x', 'model': 'm', 'layers': 'all'}               | 400 | INVALID_REQUEST | layers               | known here",
        "nonsense                                                     | 400 | INVALID_REQUEST | null                 | not JSON",
      })
  void shouldRefuseWithTheFieldsNameWhenARequestCannotBeRight(
      String json, int status, String code, String field, String message) throws Exception {
    HttpResponse<String> response =
        Http.send(ingest.port(), "POST", "/v1/requests", json.replace('\'', '"'));

    JsonNode error = Http.json(response).path("error");
    assertThat(response.statusCode()).isEqualTo(status);
    assertThat(error.path("code").textValue()).isEqualTo(code);
    assertThat(error.path("field").asText()).isEqualTo(field);
    assertThat(error.path("message").textValue()).contains(message);
  }

  @Test
  void shouldRefuseWhenABodyIsTooLargeOrNotJson() throws Exception {
    String large = "{\"prompt\": \"" + "x".repeat(1 << 20) + "\"}";
    assertThat(Http.send(ingest.port(), "POST", "/v1/requests", large).statusCode()).isEqualTo(413);
    assertThat(Http.send(ingest.port(), "POST", "/v1/requests", null).statusCode()).isEqualTo(415);
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /v1/requests/x/events?setled=true, 400, setled",
    "GET, /v1/requests/x/events?settled=yes, 400, settled",
    "GET, /v1/requests/x/events?layers=-1, 400, layers",
    "GET, /v1/requests/x/events?hookPoints=nose, 400, hookPoints",
    "GET, /v1/requests/x/events?lastEventId=s1, 400, lastEventId",
    "GET, /v1/requests/x/events?since=yesterday, 400, since",
    "GET, /v1/requests/x%20y/events, 400, requestId",
    "PUT, /v1/requests, 405, null",
    "POST, /v1/requests/x/events, 405, null",
    "GET, /v1/nothing, 404, null",
  })
  void shouldRefuseWhenAUrlIsWrong(String method, String path, int status, String field)
      throws Exception {
    HttpResponse<String> response = Http.send(ingest.port(), method, path, null);

    assertThat(response.statusCode()).isEqualTo(status);
    assertThat(Http.json(response).path("error").path("field").asText()).isEqualTo(field);
  }

  @Test
  void shouldAllowOnlyChosenOriginsWhenAPageAsks() throws Exception {
    HttpResponse<String> good =
        Http.send(
            ingest.port(),
            "OPTIONS",
            "/v1/requests",
            null,
            "Origin",
            "https://ok.example",
            "Access-Control-Request-Method",
            "POST");
    assertThat(good.statusCode()).isEqualTo(204);
    assertThat(good.headers().firstValue("Access-Control-Allow-Origin"))
        .contains("https://ok.example");
    assertThat(good.headers().firstValue("Access-Control-Allow-Headers").orElse(""))
        .contains("Content-Type");

    HttpResponse<String> bad =
        Http.send(ingest.port(), "GET", "/v1/models", null, "Origin", "https://bad.example");
    assertThat(bad.headers().firstValue("Access-Control-Allow-Origin")).isEmpty();
  }

  @Test
  void shouldCountRequestsWhenTheyAreAcceptedAndRefused() throws Exception {
    submit("{\"prompt\": \"Hello\", \"model\": \"m\"}");
    Http.send(ingest.port(), "POST", "/v1/requests", "{}");

    assertThat(Http.get(ingest.port(), "/metrics").body())
        .contains("lensflow_ingest_requests_seconds_count{outcome=\"accepted\"}")
        .contains("lensflow_ingest_requests_seconds_count{outcome=\"refused\"}")
        .contains("lensflow_ingest_streams_open");
  }

  @Test
  void shouldBeReadyWhenBrokerTopicsAndRegistryAreThere() throws Exception {
    Await.until("ready", Duration.ofSeconds(20), () -> body(ingest, "/readyz").equals("ready"));

    KafkaSettings elsewhere =
        new KafkaSettings(
            kafka.bootstrapServers(), kafka.registryUri(), "nobody-", 3, (short) 1, Map.of());
    try (IngestService lost = start(elsewhere, Map.of())) {
      Await.until(
          "the reason",
          Duration.ofSeconds(20),
          () -> body(lost, "/readyz").contains("nobody-completions"));
      assertThat(Http.get(lost.port(), "/readyz").statusCode()).isEqualTo(503);
      assertThat(Http.get(lost.port(), "/healthz").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void shouldAnswerThatKafkaIsAwayWhenNoBrokerListens() throws Exception {
    KafkaSettings nowhere =
        new KafkaSettings("127.0.0.1:1", kafka.registryUri(), "x", 3, (short) 1, Map.of());
    try (IngestService lost = start(nowhere, Map.of("lensflow.ingest.broker-timeout", "1s"))) {
      for (HttpResponse<String> response :
          List.of(
              Http.send(lost.port(), "POST", "/v1/requests", "{\"prompt\": \"x\"}"),
              Http.send(lost.port(), "DELETE", "/v1/requests/x", null),
              Http.get(lost.port(), "/v1/requests/x"),
              Http.get(lost.port(), "/v1/requests/x/events"))) {
        assertThat(response.statusCode()).isEqualTo(503);
        assertThat(Http.json(response).path("error").path("code").textValue())
            .isEqualTo("BROKER_UNAVAILABLE");
      }
    }
  }

  @Test
  void shouldSayWhichPortIsBusyWhenItCannotListen() {
    assertThatThrownBy(() -> start(stage.settings, Map.of("lensflow.ingest.port", ingest.port())))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(String.valueOf(ingest.port()));
  }

  private String submit(String json) throws Exception {
    HttpResponse<String> response = Http.send(ingest.port(), "POST", "/v1/requests", json);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
    return Http.json(response).path("requestId").textValue();
  }

  private JsonNode get(String path) {
    try {
      return new ObjectMapper().readTree(body(ingest, path));
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }

  private static String body(IngestService service, String path) {
    try {
      return Http.get(service.port(), path).body();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /** The only record of a request on a topic, found in the partition that its id says. */
  private ConsumerRecord<byte[], byte[]> only(String topic, String id) {
    TopicPartition partition =
        new TopicPartition(topic, Partitions.of(id, kafka.catalogue().requestPartitions()));
    try (KafkaConsumer<byte[], byte[]> consumer = stage.clients.bytesConsumer(Map.of())) {
      consumer.assign(Set.of(partition));
      consumer.seekToBeginning(Set.of(partition));
      long end = consumer.endOffsets(Set.of(partition)).get(partition);
      List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
      while (consumer.position(partition) < end && System.nanoTime() < deadline) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          if (new String(record.key(), StandardCharsets.UTF_8).equals(id)) {
            found.add(record);
          }
        }
      }
      assertThat(found).hasSize(1);
      return found.get(0);
    }
  }

  private <T extends SpecificRecord> T decode(
      ConsumerRecord<byte[], byte[]> record, Class<T> type) {
    return stage.clients.deserializer(type).deserialize(record.topic(), record.value());
  }
}
