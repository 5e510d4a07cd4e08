package io.lensflow.decoder.vector;

import io.lensflow.decoder.chunk.Checkpoint;
import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringVector;
import io.lensflow.records.VectorManifest;
import io.lensflow.records.VectorRecordType;
import io.lensflow.records.VectorSite;
import io.lensflow.records.VectorSiteRef;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.schemas.steering.VectorCheck;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.TopicTail;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steering vectors of one model, as their topic tells them. A version counts once its manifest
 * and every site that it names are there and sound. Memory is bounded: beyond the bound, what was
 * not asked for the longest is dropped, and whoever asks for it then is told so.
 *
 * <p>Thread-safe: the tail's thread writes, the loop reads. A request may name a vector that was
 * published a moment ago, so that a name which is not here yet is waited for, briefly; but not
 * again and again for names that nobody ever publishes.
 */
public final class VectorBook implements VectorSource, TopicTail.Handler {
  private static final Logger log = LoggerFactory.getLogger(VectorBook.class);

  /** How long a name that is not here yet is waited for. */
  private static final long WAIT_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** The same, while what was published before the start is still being read. */
  private static final long START_WAIT_NANOS = TimeUnit.SECONDS.toNanos(30);

  /** How long nobody waits after a wait that was in vain. */
  private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final String prefix;
  private final VectorCheck check;
  private final Deserializer<SteeringVector> deserializer;
  private final long maxBytes;

  /** By NAME@VERSION, least recently asked first; guarded by this. */
  private final Map<String, Version> versions = new LinkedHashMap<>(16, 0.75f, true);

  /** Which version a key of the topic belongs to, for tombstones; guarded by this. */
  private final Map<String, String> names = new HashMap<>();

  private long heldBytes;
  private boolean caughtUp;
  private long noWaitBefore;

  private record Place(HookPoint hookPoint, int layer) {}

  /** One version: records first, directions once it is whole. Guarded by the book. */
  private static final class Version implements Sites {
    private final Map<Place, VectorSite> records = new HashMap<>();
    private Map<Place, float[]> directions = Map.of();
    private VectorManifest manifest;
    private String refusal;

    boolean isUsable() {
      return refusal == null && !directions.isEmpty();
    }

    long bytes(int hiddenSize) {
      return (long) (records.size() + directions.size()) * hiddenSize * Float.BYTES;
    }

    @Override
    public float[] direction(HookPoint hookPoint, int layer) {
      return directions.get(new Place(hookPoint, layer));
    }
  }

  /**
   * An empty book.
   *
   * @param checkpoint what is loaded here
   * @param deserializer of the topic's values
   * @param maxBytes memory for values
   */
  public VectorBook(
      Checkpoint checkpoint, Deserializer<SteeringVector> deserializer, long maxBytes) {
    this.prefix = TopicCatalogue.topicSafe(checkpoint.model()) + "/";
    this.check =
        new VectorCheck(
            checkpoint.config().layers(), checkpoint.config().hiddenSize(), checkpoint.revision());
    this.deserializer = deserializer;
    this.maxBytes = maxBytes;
    this.noWaitBefore = System.nanoTime();
  }

  @Override
  public synchronized Sites sites(String name) throws UnknownVectorException {
    Version version = await(name);
    if (version == null || (version.refusal == null && !version.isUsable())) {
      throw new UnknownVectorException(
          "this decoder knows no vector '%s'; publish it first".formatted(name));
    }
    if (version.refusal != null) {
      throw new UnknownVectorException(
          "vector '%s' cannot be used: %s".formatted(name, version.refusal));
    }
    return version;
  }

  private Version await(String name) {
    long begin = System.nanoTime();
    boolean mayWait = begin - noWaitBefore >= 0;
    while (!isKnown(name) && mayWait) {
      long left = (caughtUp ? WAIT_NANOS : START_WAIT_NANOS) - (System.nanoTime() - begin);
      if (left <= 0) {
        noWaitBefore = System.nanoTime() + PAUSE_NANOS;
        break;
      }
      try {
        TimeUnit.NANOSECONDS.timedWait(this, left);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break;
      }
    }
    return versions.get(name);
  }

  private boolean isKnown(String name) {
    Version version = versions.get(name);
    return version != null && (version.refusal != null || version.isUsable());
  }

  @Override
  public synchronized void records(
      List<ConsumerRecord<byte[], byte[]>> records, Map<TopicPartition, Long> nextOffsets) {
    for (ConsumerRecord<byte[], byte[]> record : records) {
      String key = record.key() == null ? "" : new String(record.key(), StandardCharsets.UTF_8);
      if (key.startsWith(prefix)) {
        take(key, record);
      }
    }
    notifyAll();
  }

  @Override
  public synchronized void caughtUp() {
    caughtUp = true;
    notifyAll();
  }

  private void take(String key, ConsumerRecord<byte[], byte[]> record) {
    if (record.value() == null) {
      forget(key);
      return;
    }
    SteeringVector vector;
    try {
      vector = deserializer.deserialize(record.topic(), record.value());
    } catch (RecordFormatException e) {
      log.warn("key={} of {} cannot be decoded: {}", key, record.topic(), e.getMessage());
      return;
    }
    String name = vector.getName() + "@" + vector.getVersion();
    names.put(key, name);
    Version version = versions.computeIfAbsent(name, absent -> new Version());
    heldBytes -= version.bytes(check.hiddenSize());
    boolean isSite = vector.getType() == VectorRecordType.SITE && vector.getSite() != null;
    if (isSite && !version.isUsable()) {
      VectorSite site = vector.getSite();
      version.records.put(new Place(site.getHookPoint(), site.getLayer()), site);
    } else if (vector.getType() == VectorRecordType.MANIFEST) {
      version.manifest = vector.getManifest();
    }
    if (!version.isUsable()) {
      complete(name, version);
    }
    heldBytes += version.bytes(check.hiddenSize());
    evict(name);
  }

  /** A tombstone of the manifest or of any site ends the whole version. */
  private void forget(String key) {
    String name = names.remove(key);
    Version version = name == null ? null : versions.remove(name);
    if (version != null) {
      heldBytes -= version.bytes(check.hiddenSize());
    }
  }

  private void complete(String name, Version version) {
    if (version.manifest == null) {
      return;
    }
    String problem = check.problem(version.manifest);
    Map<Place, float[]> directions = new HashMap<>();
    for (VectorSiteRef ref : version.manifest.getSites()) {
      Place place = new Place(ref.getHookPoint(), ref.getLayer());
      VectorSite site = version.records.get(place);
      if (site == null && problem == null) {
        return; // more is to come
      }
      problem = problem != null ? problem : check.problem(ref, site);
      if (problem == null) {
        directions.put(place, direction(VectorCheck.values(site)));
      }
    }
    version.records.clear();
    version.refusal = problem;
    version.directions = problem == null ? directions : Map.of();
    if (problem != null) {
      log.warn("vector '{}' cannot be used: {}", name, problem);
    }
  }

  /** v̂ = v/‖v‖. Zero vectors are never published; one would project everything to NaN. */
  private static float[] direction(float[] values) {
    double square = 0;
    for (float value : values) {
      square += (double) value * value;
    }
    float[] direction = new float[values.length];
    for (int d = 0; d < values.length; d++) {
      direction[d] = (float) (values[d] / Math.sqrt(square));
    }
    return direction;
  }

  private void evict(String newest) {
    Iterator<Map.Entry<String, Version>> oldest = versions.entrySet().iterator();
    while (heldBytes > maxBytes && oldest.hasNext()) {
      Map.Entry<String, Version> entry = oldest.next();
      Version version = entry.getValue();
      if (!entry.getKey().equals(newest) && version.isUsable()) {
        heldBytes -= version.bytes(check.hiddenSize());
        version.directions = Map.of();
        version.refusal =
            "it was dropped to stay under lensflow.decoder.max-vector-bytes; raise that";
        log.warn("vector '{}': {}", entry.getKey(), version.refusal);
      }
    }
  }
}
