package io.lensflow.decoder;

import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.DeadLetter;
import io.lensflow.records.Finished;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensResult;
import io.lensflow.records.SteeringOperation;
import io.lensflow.records.SteeringVector;
import io.lensflow.records.VectorManifest;
import io.lensflow.records.VectorRecordType;
import io.lensflow.records.VectorSite;
import io.lensflow.records.VectorSiteRef;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaClients;
import io.lensflow.service.KafkaSettings;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.text.Tokenizer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** What the integration tests share: topics, a producer of chunks, a read-committed subscriber. */
final class DecoderTestBed implements AutoCloseable {
  private static final Pattern SAMPLE = Pattern.compile("(?m)^(\\w+)(?:\\{.*?})? ([-+.\\dENa]+)$");

  final KafkaSettings kafka;
  final TopicCatalogue topics;
  final Path checkpoint;
  final String revision;
  final String tokenizerHash;
  final List<LensResult> results = new ArrayList<>();
  final List<DeadLetter> deadLetters = new ArrayList<>();
  private final Map<Integer, Integer> resultsByPartition = new HashMap<>();
  private final KafkaClients clients;
  private final Producer<String, SpecificRecord> producer;
  private final KafkaConsumer<byte[], byte[]> subscriber;

  DecoderTestBed(KafkaEnvironment environment, Path checkpoint) throws IOException {
    environment.createTopics();
    topics = environment.catalogue();
    kafka =
        new KafkaSettings(
            environment.bootstrapServers(),
            environment.registryUri(),
            topics.prefix(),
            topics.requestPartitions(),
            (short) 1,
            Map.of());
    this.checkpoint = checkpoint;
    try (Checkpoint files = Checkpoint.open(checkpoint);
        Tokenizer tokenizer = Tokenizer.load(checkpoint)) {
      revision = files.revision();
      tokenizerHash = tokenizer.hash();
    }
    clients = new KafkaClients(kafka);
    producer = clients.producer(Map.of());
    subscriber =
        clients.bytesConsumer(
            Map.of("isolation.level", "read_committed", "auto.offset.reset", "earliest"));
    List<TopicPartition> partitions = new ArrayList<>();
    for (int p = 0; p < topics.requestPartitions(); p++) {
      partitions.add(new TopicPartition(topics.lensResults(), p));
      partitions.add(new TopicPartition(topics.deadLetters(), p));
    }
    subscriber.assign(partitions);
    // A class's tests share their topics: what others left there is none of ours.
    subscriber.seekToEnd(partitions);
    partitions.forEach(subscriber::position);
  }

  /** Settings of a decoder on the fixture, with a free port, as configuration keys. */
  Map<String, Object> settings(Map<String, Object> more) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("lensflow.decoder.model", TestModel.NAME);
    settings.put("lensflow.decoder.checkpoint", checkpoint.toString());
    settings.put("lensflow.decoder.port", 0);
    settings.put("lensflow.decoder.session-timeout", "3s");
    settings.putAll(more);
    return settings;
  }

  DecoderService start(Map<String, Object> more) throws IOException, InterruptedException {
    return DecoderService.start(DecoderSettings.load(settings(more)), kafka);
  }

  void send(ActivationChunk chunk) {
    producer.send(
        LensflowHeaders.record(topics.activations(), chunk.getRequestId(), chunk, "00-trace"));
  }

  /** Says that an attempt of {@link GoldenCase#chunk} finished with so many chunks. */
  void finish(String request, int chunks) {
    CompletionEvent event =
        CompletionEvent.newBuilder()
            .setRequestId(request)
            .setAttemptId(request + "-attempt")
            .setModel(TestModel.NAME)
            .setType(CompletionType.FINISHED)
            .setFinished(
                Finished.newBuilder().setChunks(chunks).setLenses(List.of("logit")).build())
            .build();
    producer.send(LensflowHeaders.record(topics.completions(), request, event, "00-trace"));
  }

  /** Says that such an attempt has begun. */
  void accept(String request) {
    CompletionEvent event =
        CompletionEvent.newBuilder()
            .setRequestId(request)
            .setAttemptId(request + "-attempt")
            .setModel(TestModel.NAME)
            .setType(CompletionType.ACCEPTED)
            .build();
    producer.send(LensflowHeaders.record(topics.completions(), request, event, "00-trace"));
  }

  /** Deletes, as retention does, all that is on a partition of {@code activations}. */
  void deleteChunks(Admin admin, int partition) throws InterruptedException, ExecutionException {
    producer.flush();
    TopicPartition activations = new TopicPartition(topics.activations(), partition);
    // -1 is the end of the partition.
    admin.deleteRecords(Map.of(activations, RecordsToDelete.beforeOffset(-1))).all().get();
  }

  /** Publishes a vector with one site, as the steering service does. */
  void publishVector(String name, int layer, float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    CRC32C crc = new CRC32C();
    crc.update(bytes.duplicate());
    VectorSite site =
        VectorSite.newBuilder()
            .setHookPoint(HookPoint.RESIDUAL_POST)
            .setLayer(layer)
            .setValues(bytes)
            .setCrc32c(crc.getValue())
            .build();
    VectorSiteRef ref =
        VectorSiteRef.newBuilder()
            .setHookPoint(HookPoint.RESIDUAL_POST)
            .setLayer(layer)
            .setCrc32c(crc.getValue())
            .build();
    VectorManifest manifest =
        VectorManifest.newBuilder()
            .setHiddenSize(values.length)
            .setOperation(SteeringOperation.ADD)
            .setSites(List.of(ref))
            .build();
    SteeringVector.Builder vector =
        SteeringVector.newBuilder()
            .setModel(TestModel.NAME)
            .setName(name)
            .setVersion(1)
            .setCreatedAt(Instant.EPOCH);
    String key = TestModel.NAME + "/" + name + "@1";
    sendVector(
        key + "/RESIDUAL_POST/" + layer, vector.setType(VectorRecordType.SITE).setSite(site));
    sendVector(key, vector.setType(VectorRecordType.MANIFEST).setSite(null).setManifest(manifest));
  }

  private void sendVector(String key, SteeringVector.Builder vector) {
    producer.send(
        LensflowHeaders.record(topics.steeringVectors(), key, vector.build(), "00-trace"));
  }

  void sendBytes(String key, String value) {
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(
            topics.activations(),
            key.getBytes(StandardCharsets.UTF_8),
            value.getBytes(StandardCharsets.UTF_8));
    try (Producer<byte[], byte[]> raw =
        new KafkaProducer<>(clients.base(), new ByteArraySerializer(), new ByteArraySerializer())) {
      raw.send(record);
    }
  }

  /** Returns when all that was sent is in the log. */
  void flush() {
    producer.flush();
  }

  /** Reads on until there are so many results, gaps included. */
  void awaitResults(int count, Duration limit) {
    Await.until(
        count + " results",
        limit,
        () -> {
          read(Duration.ofMillis(50));
          return results.size() >= count;
        });
  }

  /** Reads on until so many more results lie in a partition. */
  void awaitResults(int partition, int more, Duration limit) {
    int target = resultsByPartition.getOrDefault(partition, 0) + more;
    Await.until(
        more + " more results in partition " + partition,
        limit,
        () -> {
          read(Duration.ofMillis(50));
          return resultsByPartition.getOrDefault(partition, 0) >= target;
        });
  }

  void read(Duration time) {
    for (ConsumerRecord<byte[], byte[]> record : subscriber.poll(time)) {
      if (record.topic().equals(topics.lensResults())) {
        resultsByPartition.merge(record.partition(), 1, Integer::sum);
        results.add(
            clients.deserializer(LensResult.class).deserialize(record.topic(), record.value()));
      } else {
        deadLetters.add(
            clients.deserializer(DeadLetter.class).deserialize(record.topic(), record.value()));
      }
    }
  }

  /** Sum of a metric over its tags, from {@code /metrics}. */
  static double metric(int port, String name) throws IOException, InterruptedException {
    Matcher samples = SAMPLE.matcher(get(port, "/metrics").body());
    double sum = 0;
    while (samples.find()) {
      sum += samples.group(1).equals(name) ? Double.parseDouble(samples.group(2)) : 0;
    }
    return sum;
  }

  static HttpResponse<String> get(int port, String path) throws IOException, InterruptedException {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build(),
            HttpResponse.BodyHandlers.ofString());
  }

  @Override
  public void close() {
    producer.close();
    subscriber.close();
  }
}
