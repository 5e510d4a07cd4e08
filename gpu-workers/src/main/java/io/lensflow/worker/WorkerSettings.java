package io.lensflow.worker;

import com.typesafe.config.Config;
import io.lensflow.engine.DType;
import io.lensflow.engine.EngineOptions;
import io.lensflow.hub.ModelSource;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.Settings;
import io.lensflow.worker.intake.IntakeSettings;
import io.lensflow.worker.lag.DecoderWatch;
import io.lensflow.worker.publishing.ChunkLimits;
import io.lensflow.worker.ranks.RestartPolicy;
import io.lensflow.worker.scheduling.BatchLane;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Settings of a worker, {@code lensflow.worker}; {@code reference.conf} says what each means.
 * Immutable.
 *
 * @param name name in heartbeats and events
 * @param model where the checkpoint is: a folder, or on the hub
 * @param servedName name under which clients know the model
 * @param engine how the checkpoint is run
 * @param intake limits of the intake
 * @param prefillChunk most prompt tokens of one step
 * @param prefixShare part of the pool of keys and values that ended sequences may go on holding
 * @param requests where requests come from
 * @param batch the batch lane beside them
 * @param createTopics whether missing topics are created
 * @param heartbeatInterval longest time between heartbeats
 * @param stopTimeout how long an orderly stop waits
 * @param publisher limits of the publisher
 * @param decoderWatch what becomes of captures while the lens decoder is behind
 * @param steeringPatience how long a manifest waits for its sites
 * @param restart how the engine comes back
 * @param http where {@code /healthz}, {@code /readyz} and {@code /metrics} are
 */
public record WorkerSettings(
    String name,
    ModelSource model,
    String servedName,
    EngineOptions engine,
    IntakeSettings intake,
    int prefillChunk,
    double prefixShare,
    Requests requests,
    BatchLane batch,
    boolean createTopics,
    Duration heartbeatInterval,
    Duration stopTimeout,
    PublisherSettings publisher,
    DecoderWatch.Settings decoderWatch,
    Duration steeringPatience,
    RestartPolicy restart,
    Http http) {
  public static final String SECTION = "lensflow.worker";

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._:-]{1,200}");
  private static final int SMALLEST_RECORD = 4096;
  private static final String BATCH = ".batch";

  /** Which kind of consumer group requests are taken through. */
  public enum Source {
    SHARE_GROUP,
    CLASSIC_GROUP
  }

  /** Which topic requests are taken from, those of a batch lane beside it apart. */
  public enum Topic {
    DEFAULT,
    MODEL,
    BATCH
  }

  /**
   * Where requests come from.
   *
   * @param group name of the group, without the topic prefix; empty for the default
   */
  public record Requests(Source source, Topic from, String group) {
    /** The topic. */
    public String topic(TopicCatalogue catalogue, String model) {
      return switch (from) {
        case DEFAULT -> catalogue.promptRequests();
        case MODEL -> catalogue.promptRequests(model);
        case BATCH -> catalogue.promptRequestsBatch(model);
      };
    }

    /** The group's id. The two kinds of groups never share one: Kafka forbids it. */
    public String groupId(TopicCatalogue catalogue, String model) {
      String batch = from == Topic.BATCH && group.isEmpty() ? BATCH : "";
      return groupId(catalogue, model, batch);
    }

    /** The id of the group that takes the requests of a batch lane beside the topic. */
    public String batchGroupId(TopicCatalogue catalogue, String model) {
      return groupId(catalogue, model, BATCH);
    }

    private String groupId(TopicCatalogue catalogue, String model, String suffix) {
      String base = group.isEmpty() ? "workers." + TopicCatalogue.topicSafe(model) : group;
      String kind = source == Source.CLASSIC_GROUP ? ".classic" : "";
      return catalogue.prefix() + base + suffix + kind;
    }
  }

  /**
   * Limits of the publisher.
   *
   * @param chunks when rows become a chunk
   * @param bufferBytes most bytes of rows that wait for the broker
   * @param compression Kafka's {@code compression.type}
   */
  public record PublisherSettings(ChunkLimits chunks, long bufferBytes, String compression) {}

  /** Address of the operators' endpoints. */
  public record Http(String host, int port) {}

  /** Reads {@code lensflow.worker}, with values that win over files and environment. */
  public static WorkerSettings load(Map<String, ?> overrides) {
    return Settings.load(SECTION, overrides, WorkerSettings::from);
  }

  static WorkerSettings from(Config config) {
    String model = config.getString("model");
    Settings.check(!model.isBlank(), "model", "a checkpoint folder or a hub id");
    ModelSource source = source(model);
    String servedName = config.getString("served-name");
    String name = config.getString("name").isBlank() ? hostName() : config.getString("name");
    Settings.check(
        NAME.matcher(name).matches(), "name", "1 … 200 of the characters A-Z a-z 0-9 . _ : -");
    Topic from = oneOf(config, "request-topic", Topic.values());
    // A worker that takes all of its requests from the batch topic has nobody to put first.
    BatchLane batch = from == Topic.BATCH ? BatchLane.NONE : batch(config.getConfig("batch"));
    return new WorkerSettings(
        name,
        source,
        servedName.isBlank() ? source.servedName() : servedName,
        engine(config),
        new IntakeSettings(
            atLeast(config, "slots", 1),
            batch.slots(),
            atLeast(config, "max-attempts", 1),
            positive(config, "max-request-time"),
            config.getDuration("steering.max-wait"),
            atLeast(config, "capture.max-waiting", 0)),
        atLeast(config, "prefill-chunk", 1),
        prefixShare(config),
        new Requests(
            oneOf(config, "request-source", Source.values()), from, config.getString("group")),
        batch,
        config.getBoolean("create-topics"),
        positive(config, "heartbeat-interval"),
        config.getDuration("stop-timeout"),
        publisher(config.getConfig("publisher")),
        new DecoderWatch.Settings(
            oneOf(config, "capture.on-lag", DecoderWatch.OnLag.values()),
            positive(config, "capture.check-interval")),
        config.getDuration("steering.incomplete-after"),
        new RestartPolicy(
            positive(config, "restart.min-backoff"),
            positive(config, "restart.max-backoff"),
            atLeast(config, "restart.max-restarts", 1)),
        new Http(config.getString("http.host"), port(config)));
  }

  private static ModelSource source(String model) {
    try {
      return ModelSource.of(model);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("model: " + e.getMessage(), e);
    }
  }

  private static EngineOptions engine(Config config) {
    String dtype = config.getString("dtype").toLowerCase(Locale.ROOT);
    Settings.check(
        dtype.isEmpty() || dtype.equals("float32") || dtype.equals("bfloat16"),
        "dtype",
        "float32, bfloat16 or empty");
    int threads = atLeast(config, "threads", 0);
    long staging = config.getLong("engine.staging-bytes");
    Settings.check(staging >= 1, "engine.staging-bytes", "at least 1");
    return new EngineOptions(
        dtype.isEmpty() ? null : DType.valueOf(dtype.toUpperCase(Locale.ROOT)),
        atLeast(config, "kv-tokens", 1),
        threads == 0 ? Runtime.getRuntime().availableProcessors() : threads,
        atLeast(config, "ranks", 1),
        Stream.of(config.getString("devices").split(","))
            .map(String::strip)
            .filter(d -> !d.isEmpty())
            .toList(),
        config.getBoolean("engine.deterministic"),
        staging);
  }

  private static PublisherSettings publisher(Config config) {
    int recordBytes = config.getInt("max-record-bytes");
    Settings.check(
        recordBytes >= SMALLEST_RECORD,
        "publisher.max-record-bytes",
        "at least " + SMALLEST_RECORD);
    long bufferBytes = config.getLong("buffer-bytes");
    Settings.check(
        bufferBytes >= recordBytes, "publisher.buffer-bytes", "at least max-record-bytes");
    int rows = config.getInt("max-rows");
    Settings.check(rows >= 1, "publisher.max-rows", "at least 1");
    Duration flush = config.getDuration("flush-interval");
    Settings.check(flush.toMillis() >= 2, "publisher.flush-interval", "at least 2 ms");
    return new PublisherSettings(
        new ChunkLimits(recordBytes, rows, flush), bufferBytes, config.getString("compression"));
  }

  private static double prefixShare(Config config) {
    double share = config.getDouble("prefix-kv-share");
    Settings.check(share >= 0 && share <= 1, "prefix-kv-share", "0 … 1");
    return share;
  }

  private static BatchLane batch(Config config) {
    int slots = config.getInt("slots");
    Settings.check(slots >= 0, "batch.slots", "at least 0");
    double stepShare = config.getDouble("step-share");
    Settings.check(stepShare > 0 && stepShare < 1, "batch.step-share", "over 0 and under 1");
    double kvShare = config.getDouble("kv-share");
    Settings.check(kvShare > 0 && kvShare <= 1, "batch.kv-share", "over 0, at most 1");
    Duration patience = config.getDuration("patience");
    Settings.check(!patience.isNegative(), "batch.patience", "at least 0");
    return new BatchLane(slots, stepShare, kvShare, patience);
  }

  private static int port(Config config) {
    int port = config.getInt("http.port");
    Settings.check(port >= 0 && port <= 65535, "http.port", "0 … 65535");
    return port;
  }

  private static int atLeast(Config config, String key, int least) {
    int value = config.getInt(key);
    Settings.check(value >= least, key, "at least " + least);
    return value;
  }

  private static Duration positive(Config config, String key) {
    Duration value = config.getDuration(key);
    Settings.check(!value.isNegative() && !value.isZero(), key, "over 0");
    return value;
  }

  private static <E extends Enum<E>> E oneOf(Config config, String key, E[] values) {
    String given = config.getString(key).trim();
    for (E value : values) {
      if (settingOf(value).equalsIgnoreCase(given)) {
        return value;
      }
    }
    throw new IllegalArgumentException(
        "%s must be one of %s"
            .formatted(key, Arrays.stream(values).map(WorkerSettings::settingOf).toList()));
  }

  private static String settingOf(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "worker";
    }
  }
}
