package io.lensflow.steering.vector;

import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringOperation;
import java.util.List;

/** Drafts for tests. */
public final class Drafts {
  private Drafts() {}

  /** A draft at one site. */
  public static VectorDraft at(int layer, HookPoint hookPoint, float... values) {
    return of(new SiteDraft("", layer, hookPoint, values));
  }

  /** A draft at some sites, defaults elsewhere. */
  public static VectorDraft of(SiteDraft... sites) {
    return of(SteeringOperation.ADD, "all", null, null, sites);
  }

  /** A draft that asks for the current version. */
  public static VectorDraft expecting(int version) {
    return of(
        SteeringOperation.ADD,
        "all",
        null,
        version,
        new SiteDraft("", 1, HookPoint.RESIDUAL_POST, new float[] {1, 0}));
  }

  /** A draft with what tests vary. */
  public static VectorDraft of(
      SteeringOperation operation,
      String positions,
      String revision,
      Integer expectedVersion,
      SiteDraft... sites) {
    return new VectorDraft(
        revision,
        List.of(sites),
        operation,
        positions,
        false,
        new Provenance("MEAN_DIFFERENCE", "letters", "", 40, "", "", "", 0.1),
        "ann",
        "for tests",
        List.of(),
        expectedVersion);
  }
}
