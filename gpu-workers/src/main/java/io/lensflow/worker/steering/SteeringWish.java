package io.lensflow.worker.steering;

import io.lensflow.records.SteeringRequest;

/**
 * One vector that a request is to be steered by, and who says so. Immutable by agreement.
 *
 * @param vector what is wished
 * @param field what an error names: {@code steering[0]}, or {@code policies} for a policy's
 * @param policy {@code name@version} of the policy that says so; null if the request does
 */
record SteeringWish(SteeringRequest vector, String field, String policy) {
  /** The path of one of the vector's fields; a policy's own fields are not the request's. */
  String path(String name) {
    return policy == null ? field + "." + name : field;
  }

  /** What an error begins with: empty where the request itself is at fault. */
  String blame() {
    return policy == null ? "" : "policy %s: ".formatted(policy);
  }
}
