package io.lensflow.steering.evaluate;

import io.lensflow.records.SteeringRequest;
import io.lensflow.steering.build.Site;

/**
 * A version that requests are steered by, at all of its sites or at one of them. Immutable.
 *
 * @param name name of the vector
 * @param version its version
 * @param site the only site; null for all of the version's
 */
record SteeredBy(String name, int version, Site site) {
  /** As a request says it. */
  SteeringRequest at(double multiplier, String positions) {
    return SteeringRequest.newBuilder()
        .setName(name)
        .setVersion(version)
        .setMultiplier((float) multiplier)
        .setPositions(positions)
        .setHookPoint(site == null ? null : site.hookPoint())
        .setLayers(site == null ? null : Integer.toString(site.layer()))
        .build();
  }

  @Override
  public String toString() {
    return name + "@" + version;
  }
}
