package io.lensflow.steering.policy;

import io.lensflow.schemas.topics.TopicCatalogue;

/**
 * A policy of a model.
 *
 * @param model served name of the model
 * @param name name of the policy
 */
public record PolicyId(String model, String name) {
  /** Key of its record: {@code M/policy}. */
  public String key() {
    return TopicCatalogue.topicSafe(model) + "/" + name;
  }

  /** Whether a text is such a key. */
  public static boolean isKey(String key) {
    int slash = key.indexOf('/');
    return slash > 0 && slash == key.lastIndexOf('/') && slash < key.length() - 1;
  }
}
