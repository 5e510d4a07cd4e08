package io.lensflow.worker.steering;

import io.lensflow.records.AppliedSteering;
import java.util.List;

/**
 * What a request is steered by, versions pinned: as records say it and as ranks apply it, in the
 * order of application. Immutable.
 *
 * @param applied for every output record
 * @param fingerprint hash over {@code applied}; empty for none
 * @param uses for the ranks, one per entry of {@code applied}
 */
public record PinnedSteering(
    List<AppliedSteering> applied, String fingerprint, List<SteeringUse> uses) {
  /** No steering. */
  public static final PinnedSteering NONE = new PinnedSteering(List.of(), "", List.of());

  public PinnedSteering {
    applied = List.copyOf(applied);
    uses = List.copyOf(uses);
  }
}
