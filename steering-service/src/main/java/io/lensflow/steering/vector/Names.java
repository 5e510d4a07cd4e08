package io.lensflow.steering.vector;

import java.util.regex.Pattern;

/**
 * Syntax of the names of vectors, aliases and policies. None may hold what keys are divided by
 * ({@code /}, {@code @}), and an alias may not look like a version, so that {@code NAME@VERSION}
 * and {@code NAME@ALIAS} cannot be mistaken for each other.
 */
public final class Names {
  /** The alias that follows every publish by itself. */
  public static final String LATEST = "latest";

  private static final Pattern VECTOR = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");
  private static final Pattern ALIAS = Pattern.compile("[A-Za-z][A-Za-z0-9._-]{0,62}");

  /**
   * What names of vectors begin with that exist only while a job runs; nobody else may take one.
   */
  public static final String OF_JOBS = "job.";

  private Names() {}

  /** Whether a vector exists only while a job runs. */
  public static boolean isOfJob(String name) {
    return name.startsWith(OF_JOBS);
  }

  /** Refuses a name that is kept for jobs, or that keys cannot hold. */
  public static String checkFreeVector(String name) {
    if (isOfJob(name)) {
      throw RefusedException.invalid(
          "name", "'%s' is kept for jobs; choose a name without '%s'".formatted(name, OF_JOBS));
    }
    return checkVector(name);
  }

  /** Refuses a vector's name that keys cannot hold. */
  public static String checkVector(String name) {
    if (!VECTOR.matcher(name).matches()) {
      throw RefusedException.invalid(
          "name",
          "'%s' cannot name a vector: use 1 to 100 letters, digits, '.', '_' or '-', beginning with a letter or digit"
              .formatted(name));
    }
    return name;
  }

  /** Refuses an alias that people may not set. */
  public static String checkAlias(String alias) {
    if (alias.equals(LATEST)) {
      throw RefusedException.invalid(
          "alias", "'latest' follows every publish by itself; choose another alias");
    }
    if (!ALIAS.matcher(alias).matches()) {
      throw RefusedException.invalid(
          "alias",
          "'%s' cannot be an alias: use 1 to 63 letters, digits, '.', '_' or '-', beginning with a letter"
              .formatted(alias));
    }
    return alias;
  }

  /** Refuses a policy's name that keys cannot hold. */
  public static String checkPolicy(String name) {
    if (!VECTOR.matcher(name).matches()) {
      throw RefusedException.invalid(
          "policy",
          "'%s' cannot name a policy: use 1 to 100 letters, digits, '.', '_' or '-', beginning with a letter or digit"
              .formatted(name));
    }
    return name;
  }

  /** Refuses a model name that no topic or key could carry. */
  public static String checkModel(String model) {
    if (model.isBlank() || model.length() > 200 || model.chars().anyMatch(c -> c < ' ')) {
      throw RefusedException.invalid(
          "model", "the model's served name must have 1 to 200 characters");
    }
    return model;
  }
}
