package io.lensflow.worker.steering;

import io.lensflow.records.SteeringAlias;
import io.lensflow.records.SteeringPolicy;
import io.lensflow.records.SteeringVector;

/** One record of a steering topic, decoded. Immutable by agreement. */
public sealed interface SteeringUpdate {
  /** Its key. */
  String key();

  /** A site or a manifest; a null value is a tombstone. */
  record Vector(String key, SteeringVector value) implements SteeringUpdate {}

  /** An alias; a null value is a tombstone. */
  record Alias(String key, SteeringAlias value) implements SteeringUpdate {}

  /** A policy; a null value is a tombstone. */
  record Policy(String key, SteeringPolicy value) implements SteeringUpdate {}

  /** A record of the vectors' topic that cannot be decoded. */
  record BrokenVector(String key, String reason) implements SteeringUpdate {}

  /** A record of the policies' topic that cannot be decoded. */
  record BrokenPolicy(String key, String reason) implements SteeringUpdate {}
}
