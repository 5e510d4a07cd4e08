package io.lensflow.steering.vector;

import io.lensflow.records.HookPoint;
import io.lensflow.schemas.topics.TopicCatalogue;

/**
 * A vector of a model, and the keys of its records. In keys the model's served name is made
 * topic-safe, so that two models whose names differ only in what is replaced share keys; whoever
 * writes must look at the {@code model} field of what is there.
 *
 * @param model served name of the model
 * @param name name of the vector
 */
public record VectorId(String model, String name) {
  /** {@code M/name}: what the keys of all its records begin with. */
  public String key() {
    return TopicCatalogue.topicSafe(model) + "/" + name;
  }

  /** Key of a manifest: {@code M/name@version}. */
  public String manifestKey(int version) {
    return key() + "@" + version;
  }

  /** Key of a site: {@code M/name@version/HOOK_POINT/layer}. */
  public String siteKey(int version, HookPoint hookPoint, int layer) {
    return manifestKey(version) + "/" + hookPoint + "/" + layer;
  }

  /** Key of an alias: {@code M/name/alias}. */
  public String aliasKey(String alias) {
    return key() + "/" + alias;
  }
}
