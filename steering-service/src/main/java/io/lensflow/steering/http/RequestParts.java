package io.lensflow.steering.http;

import io.javalin.http.Context;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.steering.policy.PolicyId;
import io.lensflow.steering.vector.NamedVector;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.StoredVersion;
import io.lensflow.steering.vector.VectorBook;
import io.lensflow.steering.vector.VectorId;
import io.lensflow.steering.worker.LiveWorkers;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What paths, queries and headers of requests mean. Thread-safe. */
final class RequestParts {
  /** Longest time that an answer waits for workers. */
  static final Duration MAX_WAIT = Duration.ofMinutes(1);

  /** Who asks, for the audit topic, where no token tells. */
  private static final String ACTOR = "Lensflow-Actor";

  private static final int MAX_ACTOR_CHARS = 200;
  private static final Pattern WAIT = Pattern.compile("(\\d{1,6})(ms|s)");

  private final VectorBook book;
  private final LiveWorkers workers;

  RequestParts(VectorBook book, LiveWorkers workers) {
    this.book = book;
    this.workers = workers;
  }

  /** A served name that is known wins over one that is the topic-safe form of a known one. */
  String model(Context ctx) {
    String given = ctx.pathParam("model");
    List<String> known = Stream.concat(workers.models().stream(), book.models().stream()).toList();
    return known.contains(given)
        ? given
        : known.stream()
            .filter(model -> TopicCatalogue.topicSafe(model).equals(given))
            .findFirst()
            .orElse(given);
  }

  /** The vector that the path names. */
  VectorId vectorId(Context ctx) {
    return new VectorId(model(ctx), ctx.pathParam("name"));
  }

  /** The policy that the path names. */
  PolicyId policyId(Context ctx) {
    return new PolicyId(model(ctx), ctx.pathParam("policy"));
  }

  /**
   * The vector that the path names, if it has a version.
   *
   * @throws RefusedException if it has none
   */
  NamedVector existing(Context ctx) {
    return book.find(vectorId(ctx)).existing();
  }

  /** The version that the path names, by number or by alias. */
  static StoredVersion version(Context ctx, NamedVector vector) {
    return version(vector, "version", ctx.pathParam("version"));
  }

  /**
   * A version by its number or by an alias.
   *
   * @param field what an error names
   */
  static StoredVersion version(NamedVector vector, String field, String text) {
    Integer aliased = vector.aliases().get(text);
    return vector.version(aliased == null ? number(field, text) : aliased);
  }

  /** A version's number. */
  static int number(String field, String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw RefusedException.unknown(field, "there is no version '%s'".formatted(text));
    }
  }

  /** The version that must be current, from the query; null if it does not say. */
  static Integer expectedVersion(Context ctx) {
    String text = ctx.queryParam("expectedVersion");
    if (text == null) {
      return null;
    }
    try {
      return Integer.valueOf(text);
    } catch (NumberFormatException e) {
      throw RefusedException.invalid(
          "expectedVersion", "'%s' must be a whole number".formatted(text));
    }
  }

  /** How long the answer shall wait for workers; empty if it shall not. */
  static Optional<Duration> wait(Context ctx) {
    String text = ctx.queryParam("wait");
    if (text == null) {
      return Optional.empty();
    }
    Matcher matcher = WAIT.matcher(text.strip());
    if (matcher.matches()) {
      long amount = Long.parseLong(matcher.group(1));
      Duration wait =
          matcher.group(2).equals("ms") ? Duration.ofMillis(amount) : Duration.ofSeconds(amount);
      if (wait.compareTo(MAX_WAIT) <= 0) {
        return Optional.of(wait);
      }
    }
    throw RefusedException.invalid(
        "wait", "'%s' must be a time such as 500ms or 10s, at most 60s".formatted(text));
  }

  /** Who asks: the token's name, or what the caller says where nobody needs a token. */
  static Origin origin(Context ctx) {
    String holder = ctx.attribute(AccessGate.HOLDER);
    if (holder != null) {
      return Origin.http(holder);
    }
    String actor = ctx.header(ACTOR);
    if (actor != null && actor.length() > MAX_ACTOR_CHARS) {
      throw RefusedException.invalid(
          ACTOR, "must have at most %d characters".formatted(MAX_ACTOR_CHARS));
    }
    return Origin.http(actor == null ? "" : actor);
  }
}
