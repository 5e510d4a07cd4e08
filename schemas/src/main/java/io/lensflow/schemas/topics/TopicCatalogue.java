package io.lensflow.schemas.topics;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.apache.kafka.common.config.TopicConfig;

/**
 * Every topic of the system: name, partitions and settings. Immutable and thread-safe.
 *
 * <p>All topics keyed by request id have {@code requestPartitions} partitions, so that with the
 * Java client's default partitioner everything about a request is found under one partition number.
 * All topics carry the broker's clock ({@code LogAppendTime}): whether a worker is live, and what
 * falls out of retention, may not depend on the clocks of producers.
 */
public final class TopicCatalogue {
  /** Room beyond the largest record, for the headers and the reason that a dead letter adds. */
  private static final int DEAD_LETTER_OVERHEAD_BYTES = 1024 * 1024;

  private static final int COMPACTED_SEGMENT_BYTES = 16 * 1024 * 1024;
  private static final int MAX_SAFE_LENGTH = 100;
  private static final Pattern UNSAFE = Pattern.compile("[^A-Za-z0-9._-]");
  private static final Pattern PREFIX = Pattern.compile("[A-Za-z0-9._-]{0,80}");

  private final String prefix;
  private final int requestPartitions;
  private final short replicationFactor;
  private final TopicSizes sizes;

  /** A catalogue with {@linkplain TopicSizes#DEFAULT default sizes}. */
  public TopicCatalogue(String prefix, int requestPartitions, short replicationFactor) {
    this(prefix, requestPartitions, replicationFactor, TopicSizes.DEFAULT);
  }

  /**
   * @param prefix put before every name as it is, such as {@code "staging."}; may be empty
   * @param requestPartitions partitions of every topic keyed by request id
   * @param replicationFactor copies of each partition; −1 leaves it to the broker
   * @param sizes how much the topics keep
   * @throws IllegalArgumentException naming the parameter at fault
   */
  public TopicCatalogue(
      String prefix, int requestPartitions, short replicationFactor, TopicSizes sizes) {
    if (!PREFIX.matcher(prefix).matches()) {
      throw new IllegalArgumentException(
          "topicPrefix may hold at most 80 of the characters A-Z a-z 0-9 . _ -: '" + prefix + "'");
    }
    if (requestPartitions < 1) {
      throw new IllegalArgumentException(
          "requestPartitions must be at least 1: " + requestPartitions);
    }
    if (replicationFactor < 1 && replicationFactor != -1) {
      throw new IllegalArgumentException(
          "replicationFactor must be at least 1, or -1 for the broker's default: "
              + replicationFactor);
    }
    this.prefix = prefix;
    this.requestPartitions = requestPartitions;
    this.replicationFactor = replicationFactor;
    this.sizes = Objects.requireNonNull(sizes, "sizes");
  }

  /** Put before every name; empty for none. */
  public String prefix() {
    return prefix;
  }

  /** Partitions of every topic keyed by request id. */
  public int requestPartitions() {
    return requestPartitions;
  }

  /** How much the topics keep. */
  public TopicSizes sizes() {
    return sizes;
  }

  /** Requests for the default model. */
  public String promptRequests() {
    return prefix + "prompt-requests";
  }

  /** Requests for one model; {@code model} is its served name. */
  public String promptRequests(String model) {
    return promptRequests() + "." + topicSafe(model);
  }

  /** A model's requests that may wait, such as builds and evaluations. */
  public String promptRequestsBatch(String model) {
    return promptRequests(model) + ".batch";
  }

  /** Orders about running or waiting requests. */
  public String requestControl() {
    return prefix + "request-control";
  }

  /** What happens to requests, token by token. */
  public String completions() {
    return prefix + "completions";
  }

  /** Raw rows. */
  public String activations() {
    return prefix + "activations";
  }

  /** What lenses say about rows. */
  public String lensResults() {
    return prefix + "lens-results";
  }

  /** Versioned vectors, compacted. */
  public String steeringVectors() {
    return prefix + "steering-vectors";
  }

  /** Movable names of versions, compacted. */
  public String steeringAliases() {
    return prefix + "steering-aliases";
  }

  /** Deployment-wide rules, compacted. */
  public String steeringPolicies() {
    return prefix + "steering-policies";
  }

  /** Work for the one writer of the steering topics. */
  public String steeringCommands() {
    return prefix + "steering-commands";
  }

  /** Builds and evaluations of vectors, compacted. */
  public String steeringJobs() {
    return prefix + "steering-jobs";
  }

  /** Heartbeats of workers, compacted. */
  public String workers() {
    return prefix + "workers";
  }

  /** Who changed what. */
  public String audit() {
    return prefix + "audit";
  }

  /** Records that could not be handled. */
  public String deadLetters() {
    return prefix + "dead-letters";
  }

  /**
   * Consumer group of a model's lens decoders on {@link #activations()}: its committed offsets say
   * how far the model's rows are decoded.
   */
  public String decoderGroup(String model) {
    return prefix + "lensflow-decoder-" + topicSafe(model);
  }

  /**
   * A model's served name as it stands in topic names and in keys of the steering topics. A name
   * made only of {@code A-Z a-z 0-9 . _ -}, at most 100 long and not ending in {@code .batch},
   * stays as it is. Any other gets {@code -} for each foreign character and, so that two models
   * never share a name, {@code -} and the first 8 hex digits of the SHA-256 of the original.
   *
   * @throws IllegalArgumentException if {@code model} is empty
   */
  public static String topicSafe(String model) {
    if (model == null || model.isEmpty()) {
      throw new IllegalArgumentException("model must not be empty: give its served name");
    }
    String safe = UNSAFE.matcher(model).replaceAll("-");
    if (safe.equals(model) && safe.length() <= MAX_SAFE_LENGTH && !safe.endsWith(".batch")) {
      return safe;
    }
    String head = safe.substring(0, Math.min(safe.length(), MAX_SAFE_LENGTH - 9));
    return head + "-" + HexFormat.of().formatHex(sha256(model), 0, 4);
  }

  /** Every topic that each deployment has; topics of single models come on top. */
  public List<TopicSpec> specs() {
    return List.of(
        keyedByRequest(promptRequests(), deleteAfter(sizes.requestRetention())),
        keyedByRequest(requestControl(), deleteAfter(Duration.ofDays(1))),
        keyedByRequest(completions(), deleteAfter(sizes.completionRetention())),
        keyedByRequest(activations(), activationConfigs()),
        keyedByRequest(lensResults(), deleteAfter(sizes.lensResultRetention())),
        single(steeringVectors(), compacted()),
        single(steeringAliases(), compacted()),
        single(steeringPolicies(), compacted()),
        single(steeringCommands(), deleteAfter(Duration.ofDays(1))),
        single(steeringJobs(), compacted()),
        single(workers(), compacted()),
        single(audit(), deleteAfter(Duration.ofDays(365))),
        keyedByRequest(deadLetters(), deadLetterConfigs()));
  }

  /** The topics of one model's own: its interactive and its batch lane. */
  public List<TopicSpec> specs(String model) {
    return List.of(
        keyedByRequest(promptRequests(model), deleteAfter(sizes.requestRetention())),
        keyedByRequest(promptRequestsBatch(model), deleteAfter(sizes.requestRetention())));
  }

  private TopicSpec keyedByRequest(String name, Map<String, String> configs) {
    return new TopicSpec(name, requestPartitions, replicationFactor, configs);
  }

  private TopicSpec single(String name, Map<String, String> configs) {
    return new TopicSpec(name, 1, replicationFactor, configs);
  }

  private Map<String, String> activationConfigs() {
    Map<String, String> configs = deleteAfter(sizes.activationRetention());
    long bytes = sizes.activationBytesPartition();
    configs.put(TopicConfig.RETENTION_BYTES_CONFIG, Long.toString(bytes));
    // Only whole segments are deleted: sixteen keep what is really held within 1/16 of the limit.
    long segment = Math.min(bytes / 16, Integer.MAX_VALUE);
    configs.put(TopicConfig.SEGMENT_BYTES_CONFIG, Long.toString(segment));
    return configs;
  }

  private Map<String, String> deadLetterConfigs() {
    Map<String, String> configs = deleteAfter(Duration.ofDays(30));
    int bytes = Math.addExact(sizes.maxRecordBytes(), DEAD_LETTER_OVERHEAD_BYTES);
    configs.put(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(bytes));
    return configs;
  }

  private Map<String, String> deleteAfter(Duration retention) {
    Map<String, String> configs = common();
    configs.put(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_DELETE);
    configs.put(TopicConfig.RETENTION_MS_CONFIG, Long.toString(retention.toMillis()));
    return configs;
  }

  /** Small segments, rolled hourly, so that readers that start find little more than the newest. */
  private Map<String, String> compacted() {
    Map<String, String> configs = common();
    configs.put(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT);
    configs.put(TopicConfig.SEGMENT_BYTES_CONFIG, Integer.toString(COMPACTED_SEGMENT_BYTES));
    configs.put(TopicConfig.SEGMENT_MS_CONFIG, Long.toString(Duration.ofHours(1).toMillis()));
    configs.put(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG, "0.1");
    return configs;
  }

  private Map<String, String> common() {
    Map<String, String> configs = new HashMap<>();
    configs.put(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(sizes.maxRecordBytes()));
    configs.put(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, "LogAppendTime");
    if (replicationFactor >= 3) {
      configs.put(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, "2");
    }
    return configs;
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
