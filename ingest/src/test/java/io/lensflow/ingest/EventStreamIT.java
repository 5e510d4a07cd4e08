package io.lensflow.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.ingest.EventClient.Event;
import io.lensflow.records.CompletionType;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/** Streams of two instances over one broker; the test plays workers and decoder. */
@ExtendWith(KafkaExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EventStreamIT {
  private Stage stage;
  private IngestService one;
  private IngestService two;

  @BeforeAll
  void start(KafkaEnvironment kafka) throws Exception {
    kafka.createTopics();
    stage = new Stage(kafka);
    one = IngestService.start(settings(Map.of()), stage.settings);
    two = IngestService.start(settings(Map.of()), stage.settings);
  }

  @AfterAll
  void stop() {
    one.close();
    two.close();
    stage.close();
  }

  private static IngestSettings settings(Map<String, Object> more) {
    Map<String, Object> overrides = new HashMap<>(more);
    overrides.put("lensflow.ingest.port", 0);
    overrides.putIfAbsent("lensflow.ingest.streams.results-wait", "2s");
    return IngestSettings.load(overrides);
  }

  @Test
  void shouldTellTokensAndRowsAsTheyArriveWhenAClientListens() throws Exception {
    String id = Ids.newId();
    try (EventClient client = EventClient.open(one.port(), events(id), null)) {
      Stage.Attempt attempt = stage.attempt(id, 1).accepted().token(2, " Par");
      Event first = client.next();
      assertThat(first.type()).isEqualTo("token");
      assertThat(first.data().path("text").textValue()).isEqualTo(" Par");
      assertThat(first.data().path("request").textValue()).isEqualTo(id);

      attempt.rows("logit", 0, 0, 1);
      List<Event> rows = client.next(4);
      assertThat(rows).extracting(Event::type).containsOnly("lens");
      assertThat(rows)
          .extracting(e -> e.data().path("layer").intValue() + "/" + e.data().path("position"))
          .containsExactly("0/0", "0/1", "1/0", "1/1");

      attempt.token(3, "is").finished(2, "logit");
      assertThat(client.next().type()).isEqualTo("token");
      attempt.rows("logit", 1, 2);
      assertThat(client.rest()).extracting(Event::type).containsExactly("lens", "lens", "finished");
    }
  }

  @Test
  void shouldTellTheSameOnEveryInstanceWhenTheRequestHasEnded() throws Exception {
    String id = Ids.newId();
    whole(id);

    List<Event> atOne = all(one, events(id), null);
    List<Event> atTwo = all(two, events(id), null);

    assertThat(atOne)
        .extracting(Event::type)
        .containsExactly(
            "token", "token", "lens", "lens", "lens", "lens", "lens", "lens", "finished");
    assertThat(atTwo).isEqualTo(atOne);
    assertThat(atOne.get(8).data().has("note")).isFalse();
    assertThat(atOne.get(8).id()).endsWith("-end");
  }

  @Test
  void shouldTellExactlyTheRestWhenAnotherInstanceResumesAfterAnyEvent() throws Exception {
    String id = Ids.newId();
    whole(id);
    List<Event> everything = all(one, events(id), null);

    for (int i = 0; i < everything.size() - 1; i++) {
      assertThat(all(two, events(id), everything.get(i).id()))
          .as("after event %d", i)
          .isEqualTo(everything.subList(i + 1, everything.size()));
    }
    try (EventClient client = EventClient.open(two.port(), events(id), everything.get(8).id())) {
      assertThat(client.status).isEqualTo(204);
    }
  }

  @Test
  void shouldGoOnLiveWhenAClientResumesInTheMiddleOfARequest() throws Exception {
    String id = Ids.newId();
    Stage.Attempt attempt = stage.attempt(id, 1).accepted().token(2, "a").rows("logit", 0, 0, 1);
    List<Event> seen;
    try (EventClient client = EventClient.open(one.port(), events(id), null)) {
      seen = client.next(3); // a token and two of four rows
    }
    try (EventClient client = EventClient.open(two.port(), events(id), seen.get(2).id())) {
      assertThat(client.next(2)).extracting(Event::type).containsOnly("lens");
      attempt.token(3, "b").finished(1, "logit");
      assertThat(client.rest()).extracting(Event::type).containsExactly("token", "finished");
    }
  }

  @Test
  void shouldSayRestartedBeforeTheNextAttemptsRowsWhenThereAreTwo() throws Exception {
    String id = Ids.newId();
    Stage.Attempt first = stage.attempt(id, 1).accepted().token(2, "a").rows("logit", 0, 0);
    Stage.Attempt second = stage.attempt(id, 2);
    try (EventClient client = EventClient.open(one.port(), events(id), null)) {
      assertThat(client.next(3)).extracting(Event::type).containsExactly("token", "lens", "lens");
      second.rows("logit", 0, 0); // the results' log may be read first
      second.accepted();
      List<Event> restarted = client.next(3);
      assertThat(restarted).extracting(Event::type).containsExactly("restarted", "lens", "lens");
      assertThat(restarted.get(0).data().path("attempt").textValue()).isEqualTo(second.id);

      second.token(2, "A").finished(1, "logit");
      first.finished(1, "logit"); // a loser that does not know it
      List<Event> rest = client.rest();
      assertThat(rest).extracting(Event::type).containsExactly("token", "finished");
      assertThat(rest.get(1).data().path("attempt").textValue()).isEqualTo(second.id);
    }
  }

  @Test
  void shouldTellTheWinnersRowsOnceAndInOrderWhenSettled() throws Exception {
    String id = Ids.newId();
    String path = events(id) + "?settled=true";
    Stage.Attempt loser = stage.attempt(id, 1).accepted().token(2, "lost").rows("logit", 0, 0);
    try (EventClient client = EventClient.open(one.port(), path, null)) {
      Stage.Attempt winner = stage.attempt(id, 2).accepted().token(2, "won");
      winner.rows("logit", 1, 1).rows("logit", 0, 0).rows("logit", 0, 0);
      loser.rows("logit", 1, 1);
      winner.finished(3, "logit");
      assertThat(client.next(5)).extracting(Event::type).contains("token", "lens");
      winner.gap("logit", 2);
      assertThat(client.rest()).extracting(Event::type).containsExactly("gap", "finished");
    }

    List<Event> settled = all(two, path, null);

    assertThat(settled)
        .extracting(Event::id)
        .containsExactly("s1", "s2", "s3", "s4", "s5", "s6", "s7-end");
    assertThat(settled.subList(1, 5))
        .extracting(e -> e.data().path("layer") + "/" + e.data().path("position"))
        .containsExactly("0/0", "1/0", "0/1", "1/1");
    String won = settled.get(0).data().path("attempt").textValue();
    assertThat(won).isNotEmpty().isNotEqualTo(loser.id);
    assertThat(settled).extracting(e -> e.data().path("attempt").textValue()).containsOnly(won);
    assertThat(all(one, path, "s3")).isEqualTo(settled.subList(3, 7));
  }

  @Test
  void shouldNoteWhatIsMissingWhenResultsStayAway() throws Exception {
    String id = Ids.newId();
    stage.attempt(id, 1).accepted().token(2, "a").rows("logit", 0, 0).finished(3, "logit");

    List<Event> events = all(one, events(id), null);

    Event last = events.get(events.size() - 1);
    assertThat(last.type()).isEqualTo("finished");
    assertThat(last.data().path("note").textValue()).contains("logit", "[1, 2] of 3");
  }

  @Test
  void shouldEndAtOnceWhenNoResultsAreToCome() throws Exception {
    String prefill = Ids.newId();
    stage.attempt(prefill, 1).accepted().finished(0);
    String failed = Ids.newId();
    stage.attempt(failed, 1).accepted().rows("logit", 0, 0).ended(CompletionType.FAILED, "why");
    String cancelled = Ids.newId();
    stage.attempt(cancelled, 1).ended(CompletionType.CANCELLED, "asked to");

    assertThat(all(one, events(prefill), null)).extracting(Event::type).containsExactly("finished");
    List<Event> failure = all(one, events(failed), null);
    assertThat(failure).extracting(Event::type).containsExactly("lens", "lens", "failed");
    assertThat(failure.get(2).data().path("error").path("message").textValue()).isEqualTo("why");
    List<Event> cancellation = all(one, events(cancelled), null);
    assertThat(cancellation).extracting(Event::type).containsExactly("cancelled");
    assertThat(cancellation.get(0).data().path("reason").textValue()).isEqualTo("asked to");
  }

  @Test
  void shouldKeepIdsWhenRowsAreFiltered() throws Exception {
    String id = Ids.newId();
    whole(id);
    List<Event> everything = all(one, events(id), null);

    List<Event> filtered = all(one, events(id) + "?layers=1&hookPoints=residual_post", null);

    assertThat(filtered)
        .isEqualTo(everything.stream().filter(e -> e.data().path("layer").asInt(1) == 1).toList());
    assertThat(all(one, events(id) + "?hookPoints=mlp_output", null))
        .extracting(Event::type)
        .containsExactly("token", "token", "finished");
  }

  @Test
  void shouldFindARequestWhenItsIdHasNoTime() throws Exception {
    whole("my-request:1");

    assertThat(all(one, events("my-request:1"), null)).hasSize(9);
    assertThat(all(one, events("my-request:1") + "?since=" + Instant.now(), null)).hasSize(9);
  }

  @Test
  void shouldServeManyListenersWhenTheyShareOneTail() throws Exception {
    List<EventClient> clients = new ArrayList<>();
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      ids.add(Ids.newId());
      clients.add(EventClient.open(i % 2 == 0 ? one.port() : two.port(), events(ids.get(i)), null));
    }
    for (String id : ids) {
      whole(id);
    }
    for (EventClient client : clients) {
      assertThat(client.rest()).hasSize(9).last().matches(e -> e.type().equals("finished"));
    }
  }

  @Test
  void shouldSendASlowClientAwayWithAReasonWhenItsBufferIsFull() throws Exception {
    IngestSettings small = settings(Map.of("lensflow.ingest.streams.buffer-bytes", "64 KiB"));
    String id = Ids.newId();
    try (IngestService service = IngestService.start(small, stage.settings);
        Socket socket = new Socket()) {
      socket.setReceiveBufferSize(4096);
      socket.connect(new InetSocketAddress("127.0.0.1", service.port()));
      socket
          .getOutputStream()
          .write(
              ("GET " + events(id) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      InputStream in = socket.getInputStream();
      in.read(); // the stream is open; from here on this client reads nothing
      awaitMetric(service, "lensflow_ingest_tail_partitions 2.0");
      Stage.Attempt attempt = stage.attempt(id, 1).accepted();
      int[] positions = new int[1000];
      for (int sequence = 0; sequence < 60; sequence++) { // some 40 MB for the client
        attempt.rows("logit", sequence, positions);
      }
      String all = new String(in.readAllBytes(), StandardCharsets.UTF_8);

      assertThat(all).contains("\"type\":\"closed\"").contains("\"code\":\"SLOW_CLIENT\"");
      assertThat(all).doesNotContain("\"type\":\"finished\"");
      assertThat(metrics(service))
          .contains("lensflow_ingest_streams_ended_total{reason=\"SLOW_CLIENT\"} 1");
      attempt.finished(60, "logit");
      String last =
          all.substring(all.lastIndexOf("id: ") + 4, all.lastIndexOf("\ndata: {\"type\":\"lens\""));
      int told = all.split("\"type\":\"lens\"", -1).length - 1;
      assertThat(all(one, events(id), last)).hasSize(60 * 2000 - told + 1);
    }
  }

  @Test
  void shouldBeatAndInTheEndCloseWhenARequestIsSilent() throws Exception {
    IngestSettings impatient =
        settings(
            Map.of(
                "lensflow.ingest.streams.heartbeat", "100ms",
                "lensflow.ingest.streams.silence-limit", "1s",
                "lensflow.ingest.streams.max", 1));
    try (IngestService service = IngestService.start(impatient, stage.settings);
        Socket socket = new Socket("127.0.0.1", service.port())) {
      socket
          .getOutputStream()
          .write(
              ("GET " + events(Ids.newId()) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      InputStream in = socket.getInputStream();
      in.read();
      assertThat(Http.get(service.port(), events(Ids.newId())).body()).contains("TOO_MANY_STREAMS");
      assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
          .contains("\n: still here\n")
          .contains("\"code\":\"SILENT\"");
    }
  }

  @Test
  void shouldTellItsClientsWhenAnInstanceStops() throws Exception {
    IngestService service = IngestService.start(settings(Map.of()), stage.settings);
    String id = Ids.newId();
    try (EventClient client = EventClient.open(service.port(), events(id), null)) {
      stage.attempt(id, 1).accepted().token(2, "a");
      Event token = client.next();
      service.close();
      List<Event> rest = client.rest();
      assertThat(rest).extracting(Event::type).containsExactly("closed");
      assertThat(rest.get(0).data().path("code").textValue()).isEqualTo("STOPPING");
      assertThat(rest.get(0).id()).isNull();
      stage.attempt(id, 2).ended(CompletionType.FAILED, "x");
      assertThat(all(one, events(id), token.id()))
          .extracting(Event::type)
          .containsExactly("failed");
    }
  }

  /** Two tokens, six rows. */
  private void whole(String id) {
    stage
        .attempt(id, 1)
        .accepted()
        .token(2, "a")
        .rows("logit", 0, 0, 1)
        .token(3, "b")
        .finished(2, "logit")
        .rows("logit", 1, 2);
  }

  private static List<Event> all(IngestService service, String path, String lastEventId)
      throws Exception {
    try (EventClient client = EventClient.open(service.port(), path, lastEventId)) {
      assertThat(client.status).isEqualTo(200);
      return client.rest();
    }
  }

  private static String events(String id) {
    return "/v1/requests/" + id + "/events";
  }

  private static void awaitMetric(IngestService service, String line) {
    Await.until(line, Duration.ofSeconds(20), () -> metrics(service).contains(line));
  }

  private static String metrics(IngestService service) {
    try {
      return Http.get(service.port(), "/metrics").body();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
