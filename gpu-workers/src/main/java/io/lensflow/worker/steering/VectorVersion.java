package io.lensflow.worker.steering;

import io.lensflow.engine.capture.HookPoint;
import io.lensflow.records.VectorManifest;
import io.lensflow.records.VectorSite;
import io.lensflow.records.VectorSiteRef;
import io.lensflow.schemas.steering.VectorCheck;
import io.lensflow.text.spec.PositionSpec;
import io.lensflow.worker.ranks.EngineInfo;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One version of one vector on its way from records to the ranks. Not thread-safe: owned by the
 * catalogue.
 *
 * <p>Sites and manifest may come in any order, because they may lie in different partitions.
 */
final class VectorVersion {
  /** Where a version stands. */
  enum State {
    /** Records are missing. */
    INCOMPLETE,
    /** Checked; on its way to the ranks. */
    PREPARING,
    /** On every rank. */
    LOADED,
    /** Not usable; see the reason. */
    REFUSED
  }

  private record Place(io.lensflow.records.HookPoint hookPoint, int layer) {}

  private final VectorId id;

  /**
   * Kept, so that lists of hundreds of versions, compared after every change, share their items.
   */
  private final io.lensflow.records.VectorVersion named;

  private final Map<Place, VectorSite> sites = new HashMap<>();
  private VectorManifest manifest;
  private Instant manifestSince;
  private State state = State.INCOMPLETE;
  private String reason = "";
  private boolean retired;
  private int pins;

  VectorVersion(VectorId id) {
    this.id = id;
    this.named = new io.lensflow.records.VectorVersion(id.name(), id.version());
  }

  VectorId id() {
    return id;
  }

  /** The version as heartbeats name it; always the same object. */
  io.lensflow.records.VectorVersion named() {
    return named;
  }

  State state() {
    return state;
  }

  /** Why it was refused; empty otherwise. */
  String reason() {
    return reason;
  }

  VectorManifest manifest() {
    return manifest;
  }

  boolean isUsable() {
    return state == State.LOADED && !retired;
  }

  boolean isRetired() {
    return retired;
  }

  int pins() {
    return pins;
  }

  void pin() {
    pins++;
  }

  void unpin() {
    pins--;
  }

  void retire() {
    retired = true;
  }

  void refuse(String why) {
    state = State.REFUSED;
    reason = why;
    sites.clear();
  }

  void loaded() {
    state = State.LOADED;
    // The group keeps the values for a restart of its ranks; the records' bytes are of no more use.
    sites.clear();
  }

  void add(VectorSite site) {
    if (state == State.INCOMPLETE) {
      sites.put(new Place(site.getHookPoint(), site.getLayer()), site);
    }
  }

  void describe(VectorManifest description, Instant now) {
    if (manifest == null || state == State.REFUSED) {
      manifest = description;
      manifestSince = now;
      state = State.INCOMPLETE;
      reason = "";
    }
    retired = false;
  }

  /** Since when the manifest has waited for sites; null if it does not. */
  Instant waitingSince() {
    return state == State.INCOMPLETE && manifest != null ? manifestSince : null;
  }

  /** The first site that the manifest names and that did not come; null if all are there. */
  String missingSite() {
    for (VectorSiteRef ref : manifest.getSites()) {
      if (!sites.containsKey(new Place(ref.getHookPoint(), ref.getLayer()))) {
        return ref.getHookPoint() + " of layer " + ref.getLayer();
      }
    }
    return null;
  }

  /**
   * Checks a complete version against the model.
   *
   * @return its values, in the manifest's order, or null if it was refused
   */
  List<SiteVector> check(EngineInfo engine) {
    VectorCheck check =
        new VectorCheck(engine.config().layers(), engine.config().hiddenSize(), engine.revision());
    String problem = manifestProblem(check);
    List<SiteVector> values = new ArrayList<>();
    for (VectorSiteRef ref : manifest.getSites()) {
      if (problem != null) {
        break;
      }
      VectorSite site = sites.get(new Place(ref.getHookPoint(), ref.getLayer()));
      problem = check.problem(ref, site);
      if (problem == null) {
        values.add(
            new SiteVector(
                HookPoint.valueOf(ref.getHookPoint().name()),
                ref.getLayer(),
                VectorCheck.values(site)));
      }
    }
    if (problem != null) {
      refuse(problem);
      return null;
    }
    state = State.PREPARING;
    return values;
  }

  private String manifestProblem(VectorCheck check) {
    String problem = check.problem(manifest);
    if (problem != null) {
      return problem;
    }
    try {
      PositionSpec.parse(manifest.getPositions());
      return null;
    } catch (IllegalArgumentException e) {
      return e.getMessage();
    }
  }
}
