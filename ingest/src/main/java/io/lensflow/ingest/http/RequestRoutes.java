package io.lensflow.ingest.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.lensflow.client.json.EventJson;
import io.lensflow.ingest.state.RequestState;
import io.lensflow.ingest.state.RequestStates;
import io.lensflow.ingest.submit.RequestSubmitter;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.PromptRequest;
import io.lensflow.service.ApiException;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.kafka.common.KafkaException;

/** {@code /v1/requests}: send, look up, cancel. Thread-safe. */
public final class RequestRoutes {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final RequestSubmitter submitter;
  private final RequestStates states;
  private final int maxRequestBytes;
  private final MeterRegistry metrics;

  public RequestRoutes(
      RequestSubmitter submitter,
      RequestStates states,
      int maxRequestBytes,
      MeterRegistry metrics) {
    this.submitter = submitter;
    this.states = states;
    this.maxRequestBytes = maxRequestBytes;
    this.metrics = metrics;
  }

  List<Route> routes() {
    return List.of(
        new Route("POST", "/v1/requests", this::submit),
        new Route("GET", "/v1/requests/{id}", this::state),
        new Route("DELETE", "/v1/requests/{id}", this::cancel));
  }

  private void submit(Context ctx) throws IOException {
    Timer.Sample start = Timer.start(metrics);
    try {
      Parameters.refuseOthers(ctx, Set.of());
      byte[] body = body(ctx);
      var sent = submitter.submit(body, ctx.header("traceparent"));
      ctx.future(
          () ->
              sent.whenComplete((request, e) -> count(e == null ? "accepted" : "failed", start))
                  .thenAccept(request -> accepted(ctx, request)));
    } catch (RuntimeException e) {
      count("refused", start);
      throw e;
    }
  }

  private void count(String outcome, Timer.Sample start) {
    start.stop(metrics.timer("lensflow.ingest.requests", "outcome", outcome));
  }

  private static void accepted(Context ctx, PromptRequest request) {
    String path = "/v1/requests/" + request.getRequestId();
    ObjectNode answer = JSON.createObjectNode();
    answer.put("requestId", request.getRequestId());
    answer.put("model", request.getModel());
    answer.put("events", path + "/events");
    ctx.status(202).header("Location", path);
    json(ctx, answer);
  }

  private void cancel(Context ctx) {
    Parameters.refuseOthers(ctx, Set.of("reason"));
    String id = Parameters.requestId(ctx);
    String reason = ctx.queryParam("reason");
    var sent =
        submitter.cancel(
            id, reason == null ? "cancelled over HTTP" : reason, ctx.header("traceparent"));
    ctx.future(
        () ->
            sent.thenRun(
                () -> {
                  ObjectNode answer = JSON.createObjectNode();
                  answer.put("requestId", id).put("events", "/v1/requests/" + id + "/events");
                  ctx.status(202);
                  json(ctx, answer);
                }));
  }

  private void state(Context ctx) throws IOException {
    Parameters.refuseOthers(ctx, Set.of("since"));
    String id = Parameters.requestId(ctx);
    try {
      RequestState state =
          states
              .find(id, Parameters.time(ctx, "since"))
              .orElseThrow(
                  () ->
                      new ApiException(
                          404,
                          "REQUEST_NOT_FOUND",
                          "nothing is known of request '%s': it was never sent, or is no longer kept"
                              .formatted(id),
                          "id"));
      json(ctx, describe(id, state));
    } catch (KafkaException e) {
      throw new ApiException(
          503, "BROKER_UNAVAILABLE", "the log cannot be read: " + e.getMessage(), null);
    }
  }

  private static ObjectNode describe(String id, RequestState state) throws JsonProcessingException {
    ObjectNode node = JSON.createObjectNode();
    node.put("request", id).put("state", state.phase().name());
    CompletionEvent newest = state.newest();
    if (newest != null) {
      node.put("model", newest.getModel()).put("worker", newest.getWorker());
      node.put("attempt", newest.getAttemptId());
    }
    node.put("attempts", state.attempts()).put("generatedTokens", state.generatedTokens());
    node.put("events", "/v1/requests/" + id + "/events");
    if (state.terminal() != null) {
      node.set("outcome", JSON.readTree(EventJson.terminal(state.terminal(), null)));
    }
    return node;
  }

  /**
   * The body, bounded. Only JSON by its name: a form of some web page can send other types to an
   * address on this machine without asking anybody, JSON it cannot.
   */
  private byte[] body(Context ctx) throws IOException {
    String type = ctx.contentType() == null ? "" : ctx.contentType().toLowerCase(Locale.ROOT);
    if (!type.split(";", 2)[0].strip().equals("application/json")) {
      throw new ApiException(
          415,
          "UNSUPPORTED_MEDIA_TYPE",
          "the body must be JSON; send the header Content-Type: application/json",
          null);
    }
    byte[] body = ctx.req().getInputStream().readNBytes(maxRequestBytes + 1);
    if (body.length > maxRequestBytes) {
      throw new ApiException(
          413,
          "REQUEST_TOO_LARGE",
          "the body has more than %d bytes; shorten the prompt".formatted(maxRequestBytes),
          null);
    }
    return body;
  }

  static void json(Context ctx, ObjectNode node) {
    ctx.contentType("application/json").result(node.toString());
  }
}
