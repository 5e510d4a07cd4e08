package io.lensflow.worker.steering;

import io.lensflow.schemas.topics.TopicCatalogue;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the keys of the steering topics: {@code M/name@version}, {@code M/name@version/hook/layer},
 * {@code M/name/alias}, {@code M/policy}. Immutable and thread-safe.
 */
final class SteeringKeys {
  private static final Pattern VERSION = Pattern.compile("(.+)@(\\d{1,9})(/[A-Z_]+/\\d{1,6})?");

  private final String prefix;

  /**
   * @param model served name
   */
  SteeringKeys(String model) {
    this.prefix = TopicCatalogue.topicSafe(model) + "/";
  }

  /** Whether a key is of this model. */
  boolean isMine(String key) {
    return key.startsWith(prefix);
  }

  /**
   * What a key of the vectors' topic names.
   *
   * @param vector the version
   * @param site whether one of its sites is meant, not its manifest
   */
  record VectorKey(VectorId vector, boolean site) {}

  /** Reads a key of the vectors' topic; empty if it is not one. */
  Optional<VectorKey> vector(String key) {
    Matcher matcher = VERSION.matcher(key.substring(prefix.length()));
    if (!matcher.matches()) {
      return Optional.empty();
    }
    VectorId vector = new VectorId(matcher.group(1), Integer.parseInt(matcher.group(2)));
    return Optional.of(new VectorKey(vector, matcher.group(3) != null));
  }

  /**
   * What a key of the aliases' topic names.
   *
   * @param name of the vector
   * @param alias such as {@code latest}
   */
  record AliasKey(String name, String alias) {}

  /** Reads a key of the aliases' topic; empty if it is not one. */
  Optional<AliasKey> alias(String key) {
    String rest = key.substring(prefix.length());
    int slash = rest.lastIndexOf('/');
    return slash <= 0 || slash == rest.length() - 1
        ? Optional.empty()
        : Optional.of(new AliasKey(rest.substring(0, slash), rest.substring(slash + 1)));
  }

  /** The policy that a key of the policies' topic names. */
  String policy(String key) {
    return key.substring(prefix.length());
  }
}
