package io.lensflow.client;

import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.Finished;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensResult;
import io.lensflow.records.Tokens;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordSerializer;
import io.lensflow.testkit.KafkaEnvironment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Writes what a worker and a decoder would write about a request, mishaps included. */
final class SyntheticRequest implements AutoCloseable {
  private static final List<Integer> LAYERS = List.of(0, 1);

  private final KafkaEnvironment kafka;
  private final KafkaProducer<String, SpecificRecord> producer;

  SyntheticRequest(KafkaEnvironment kafka, String transactionalId) {
    this.kafka = kafka;
    Map<String, Object> settings =
        transactionalId == null
            ? Map.of("bootstrap.servers", kafka.bootstrapServers())
            : Map.of(
                "bootstrap.servers", kafka.bootstrapServers(), "transactional.id", transactionalId);
    producer =
        new KafkaProducer<>(
            settings, new StringSerializer(), new RecordSerializer<>(kafka.registry()));
    if (transactionalId != null) {
      producer.initTransactions();
    }
  }

  void accepted(String request, String attempt) {
    write(event(request, attempt, CompletionType.ACCEPTED).build(), request);
  }

  void token(String request, String attempt, String text) {
    Tokens tokens =
        Tokens.newBuilder()
            .setPositions(List.of(4))
            .setIds(List.of(1))
            .setTexts(List.of(text))
            .build();
    write(event(request, attempt, CompletionType.TOKENS).setTokens(tokens).build(), request);
  }

  void finished(String request, String attempt, int chunks, String text) {
    Finished finished =
        Finished.newBuilder().setChunks(chunks).setLenses(List.of("logit")).setText(text).build();
    write(event(request, attempt, CompletionType.FINISHED).setFinished(finished).build(), request);
  }

  /** Two positions at two layers; the probability tells the attempt. */
  LensResult result(String request, String attempt, int sequence, float probability) {
    List<Integer> positions = List.of(2 * sequence, 2 * sequence + 1);
    int rows = LAYERS.size() * positions.size();
    LensResult result =
        LensResult.newBuilder()
            .setRequestId(request)
            .setAttemptId(attempt)
            .setModel("m")
            .setLens("logit")
            .setSequence(sequence)
            .setHookPoint(HookPoint.RESIDUAL_POST)
            .setLayers(LAYERS)
            .setPositions(positions)
            .setTokenIds(List.of(7, 8))
            .setTokenTexts(List.of("a", "b"))
            .setTopK(1)
            .setTopIds(repeat(42, rows))
            .setTopTexts(repeat("x", rows))
            .setTopLogits(repeat(1f, rows))
            .setTopProbabilities(repeat(probability, rows))
            .build();
    write(result, request);
    return result;
  }

  /** Results that the decoder takes back: its transaction aborts. */
  void abortedResult(String request, String attempt, int sequence) {
    producer.beginTransaction();
    result(request, attempt, sequence, 0.01f);
    producer.flush();
    producer.abortTransaction();
  }

  private static <T> List<T> repeat(T value, int count) {
    List<T> values = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      values.add(value);
    }
    return values;
  }

  private static CompletionEvent.Builder event(
      String request, String attempt, CompletionType type) {
    return CompletionEvent.newBuilder()
        .setRequestId(request)
        .setAttemptId(attempt)
        .setModel("m")
        .setType(type);
  }

  private void write(SpecificRecord value, String request) {
    String topic =
        value instanceof CompletionEvent
            ? kafka.catalogue().completions()
            : kafka.catalogue().lensResults();
    producer.send(LensflowHeaders.record(topic, request, value, null));
  }

  @Override
  public void close() {
    producer.close();
  }
}
