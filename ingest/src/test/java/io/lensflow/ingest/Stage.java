package io.lensflow.ingest;

import io.lensflow.records.Accepted;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.Failure;
import io.lensflow.records.FinishReason;
import io.lensflow.records.Finished;
import io.lensflow.records.Gap;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensResult;
import io.lensflow.records.Tokens;
import io.lensflow.records.VectorVersion;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaClients;
import io.lensflow.service.KafkaSettings;
import io.lensflow.testkit.KafkaEnvironment;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Producer;

/** Plays workers and the decoder: writes what they would write, on the real topics. */
final class Stage implements AutoCloseable {
  static final int LAYERS = 2;

  final KafkaSettings settings;
  final KafkaClients clients;
  final TopicCatalogue catalogue;
  private final Producer<String, SpecificRecord> producer;
  private final Producer<String, SpecificRecord> decoder;
  private final ScheduledExecutorService heart = Executors.newSingleThreadScheduledExecutor();

  Stage(KafkaEnvironment environment) {
    catalogue = environment.catalogue();
    settings =
        new KafkaSettings(
            environment.bootstrapServers(),
            environment.registryUri(),
            catalogue.prefix(),
            catalogue.requestPartitions(),
            (short) 1,
            Map.of());
    clients = new KafkaClients(settings);
    producer = clients.producer(Map.of());
    decoder = clients.producer(Map.of("transactional.id", catalogue.prefix() + "decoder"));
    decoder.initTransactions();
  }

  /** Beats for one worker of a model until the stage closes. */
  void serve(String model, String topic) {
    heart.scheduleAtFixedRate(() -> beat(model, topic), 0, 1, TimeUnit.SECONDS);
  }

  private void beat(String model, String topic) {
    send(
        catalogue.workers(),
        "worker-" + model,
        WorkerHeartbeat.newBuilder()
            .setWorker("worker-" + model)
            .setModel(model)
            .setRevision("r1")
            .setLayers(LAYERS)
            .setHiddenSize(8)
            .setVocabularySize(100)
            .setMaxContext(16)
            .setRequestTopics(List.of(topic))
            .setSlots(4)
            .setFree(3)
            .setVectors(List.of(VectorVersion.newBuilder().setName("calm").setVersion(2).build()))
            .setStartedAt(Instant.EPOCH)
            .setProducedAt(Instant.now())
            .build());
  }

  /** One attempt at a request. */
  Attempt attempt(String requestId, int number) {
    return new Attempt(requestId, number, Ids.newId());
  }

  final class Attempt {
    final String requestId;
    final int number;
    final String id;

    private Attempt(String requestId, int number, String id) {
      this.requestId = requestId;
      this.number = number;
      this.id = id;
    }

    Attempt accepted() {
      completion(
          event(CompletionType.ACCEPTED)
              .setAccepted(Accepted.newBuilder().setPromptTokenIds(List.of(1, 2)).build()));
      return this;
    }

    Attempt token(int position, String text) {
      completion(
          event(CompletionType.TOKENS)
              .setTokens(
                  Tokens.newBuilder()
                      .setPositions(List.of(position))
                      .setIds(List.of(40 + position))
                      .setTexts(List.of(text))
                      .build()));
      return this;
    }

    Attempt finished(int chunks, String... lenses) {
      completion(
          event(CompletionType.FINISHED)
              .setFinished(
                  Finished.newBuilder()
                      .setReason(FinishReason.MAX_NEW_TOKENS)
                      .setText("text of " + number)
                      .setPromptTokens(2)
                      .setGeneratedTokens(2)
                      .setChunks(chunks)
                      .setLenses(lenses.length == 0 ? null : List.of(lenses))
                      .build()));
      return this;
    }

    Attempt ended(CompletionType type, String message) {
      completion(
          event(type).setFailure(Failure.newBuilder().setCode("TEST").setMessage(message).build()));
      return this;
    }

    /** Rows of one chunk at all layers, committed. */
    Attempt rows(String lens, int sequence, int... positions) {
      List<Integer> list = new ArrayList<>();
      for (int position : positions) {
        list.add(position);
      }
      int cells = LAYERS * positions.length;
      result(
          result(lens, sequence)
              .setLayers(List.of(0, 1))
              .setPositions(list)
              .setTokenIds(list)
              .setTokenTexts(Collections.nCopies(list.size(), "t"))
              .setTopK(1)
              .setTopIds(Collections.nCopies(cells, 7))
              .setTopTexts(Collections.nCopies(cells, " Paris"))
              .setTopLogits(Collections.nCopies(cells, 1.5f))
              .setTopProbabilities(Collections.nCopies(cells, 0.5f))
              .setEntropy(Collections.nCopies(cells, 0.25f)));
      return this;
    }

    Attempt gap(String lens, Integer... missing) {
      result(
          result(lens, missing[0])
              .setGap(
                  Gap.newBuilder()
                      .setMissingSequences(List.of(missing))
                      .setReason("retention")
                      .build()));
      return this;
    }

    private void completion(CompletionEvent.Builder event) {
      send(catalogue.completions(), requestId, event.build());
    }

    private void result(LensResult.Builder result) {
      decoder.beginTransaction();
      decoder.send(
          LensflowHeaders.record(catalogue.lensResults(), requestId, result.build(), null));
      decoder.commitTransaction();
    }

    private CompletionEvent.Builder event(CompletionType type) {
      return CompletionEvent.newBuilder()
          .setRequestId(requestId)
          .setAttempt(number)
          .setAttemptId(id)
          .setModel("m")
          .setWorker("worker-m")
          .setProducedAt(Instant.now())
          .setType(type);
    }

    private LensResult.Builder result(String lens, int sequence) {
      return LensResult.newBuilder()
          .setRequestId(requestId)
          .setAttempt(number)
          .setAttemptId(id)
          .setModel("m")
          .setProducedAt(Instant.now())
          .setLens(lens)
          .setSequence(sequence)
          .setHookPoint(HookPoint.RESIDUAL_POST);
    }
  }

  private void send(String topic, String key, SpecificRecord value) {
    try {
      producer.send(LensflowHeaders.record(topic, key, value, null)).get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
  }

  @Override
  public void close() {
    heart.shutdownNow();
    producer.close();
    decoder.close();
  }
}
