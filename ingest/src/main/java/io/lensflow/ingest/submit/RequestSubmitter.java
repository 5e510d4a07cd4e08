package io.lensflow.ingest.submit;

import io.lensflow.client.ModelDirectory;
import io.lensflow.client.ServedModel;
import io.lensflow.client.WaitTimeoutException;
import io.lensflow.client.json.InvalidRequestException;
import io.lensflow.client.json.RequestJson;
import io.lensflow.ingest.IngestSettings;
import io.lensflow.records.ControlType;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.RequestControl;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.ApiException;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes requests and orders about them, and puts them on their topics. Thread-safe. */
public final class RequestSubmitter {
  private static final Logger log = LoggerFactory.getLogger(RequestSubmitter.class);

  private final IngestSettings settings;
  private final TopicCatalogue catalogue;
  private final ModelDirectory models;
  private final RecordSender sender;
  private final Clock clock;

  public RequestSubmitter(
      IngestSettings settings,
      TopicCatalogue catalogue,
      ModelDirectory models,
      RecordSender sender,
      Clock clock) {
    this.settings = settings;
    this.catalogue = catalogue;
    this.models = models;
    this.sender = sender;
    this.clock = clock;
  }

  /**
   * Checks a request and sends it to its model's topic.
   *
   * @param json the body
   * @param traceparent the caller's trace; null or invalid begins a new one
   * @return the request as sent; completes when the broker has it, or with {@link ApiException}
   * @throws InvalidRequestException if it cannot be right
   * @throws ApiException if nobody can serve it now
   */
  public CompletableFuture<PromptRequest> submit(byte[] json, String traceparent) {
    PromptRequest request = RequestJson.read(json, Ids.newId(), now());
    if (request.getDeadline().isAfter(request.getCreatedAt().plus(settings.maxDeadline()))) {
      throw new InvalidRequestException(
          "deadline", "deadline lies more than %s ahead".formatted(settings.maxDeadline()));
    }
    Collection<ServedModel> served = served();
    Optional<ServedModel> model = ModelCheck.find(request.getModel(), served);
    if (model.isEmpty() && settings.requireLiveWorker()) {
      throw ModelCheck.notServed(request.getModel(), served);
    }
    ModelCheck.check(request, model.orElse(null));
    model.ifPresent(found -> request.setModel(found.name()));
    String topic = model.map(ServedModel::requestTopic).orElse(catalogue.promptRequests());
    return sender
        .send(topic, request.getRequestId(), request, TraceParent.of(traceparent))
        .thenApply(
            stored -> {
              log.debug("request stored request={} record={}", request.getRequestId(), stored);
              return request;
            });
  }

  /**
   * Orders workers to stop a request. Its terminal event tells whether that came in time.
   *
   * @return completes when the broker has the order
   */
  public CompletableFuture<Void> cancel(String requestId, String reason, String traceparent) {
    RequestControl order =
        RequestControl.newBuilder()
            .setRequestId(requestId)
            .setType(ControlType.CANCEL)
            .setCreatedAt(now())
            .setReason(reason)
            .build();
    return sender
        .send(catalogue.requestControl(), requestId, order, TraceParent.of(traceparent))
        .thenAccept(stored -> log.debug("cancel stored request={}", requestId));
  }

  private Collection<ServedModel> served() {
    try {
      models.awaitReady(settings.brokerTimeout());
    } catch (WaitTimeoutException e) {
      throw new ApiException(503, "BROKER_UNAVAILABLE", e.getMessage(), null);
    }
    return models.models();
  }

  /** Records keep microseconds. */
  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MICROS);
  }
}
