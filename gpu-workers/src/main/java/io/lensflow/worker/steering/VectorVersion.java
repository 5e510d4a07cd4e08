package io.lensflow.worker.steering;

import io.lensflow.engine.capture.HookPoint;
import io.lensflow.records.SteeringOperation;
import io.lensflow.records.VectorManifest;
import io.lensflow.records.VectorSite;
import io.lensflow.records.VectorSiteRef;
import io.lensflow.text.spec.PositionSpec;
import io.lensflow.worker.ranks.EngineInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

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
  private final Map<Place, VectorSite> sites = new HashMap<>();
  private VectorManifest manifest;
  private Instant manifestSince;
  private State state = State.INCOMPLETE;
  private String reason = "";
  private boolean retired;
  private int pins;

  VectorVersion(VectorId id) {
    this.id = id;
  }

  VectorId id() {
    return id;
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
    String problem = manifestProblem(engine);
    List<SiteVector> values = new ArrayList<>();
    for (VectorSiteRef ref : manifest.getSites()) {
      if (problem != null) {
        break;
      }
      VectorSite site = sites.get(new Place(ref.getHookPoint(), ref.getLayer()));
      problem = siteProblem(engine, ref, site);
      if (problem == null) {
        float[] floats = floats(site.getValues());
        problem = valueProblem(floats, ref);
        values.add(
            new SiteVector(HookPoint.valueOf(ref.getHookPoint().name()), ref.getLayer(), floats));
      }
    }
    if (problem != null) {
      refuse(problem);
      return null;
    }
    state = State.PREPARING;
    return values;
  }

  private String manifestProblem(EngineInfo engine) {
    int hidden = engine.config().hiddenSize();
    if (manifest.getSites().isEmpty()) {
      return "the manifest names no site";
    }
    if (manifest.getHiddenSize() != hidden) {
      return "made for D=%d; this model has D=%d".formatted(manifest.getHiddenSize(), hidden);
    }
    if (manifest.getRevision() != null && !manifest.getRevision().equals(engine.revision())) {
      return "made for revision %s; this worker serves %s"
          .formatted(manifest.getRevision(), engine.revision());
    }
    if (manifest.getOperation() == SteeringOperation.UNKNOWN) {
      return "the manifest's operation is not known here";
    }
    try {
      PositionSpec.parse(manifest.getPositions());
    } catch (IllegalArgumentException e) {
      return e.getMessage();
    }
    return null;
  }

  private static String siteProblem(EngineInfo engine, VectorSiteRef ref, VectorSite site) {
    int layers = engine.config().layers();
    if (ref.getHookPoint() == io.lensflow.records.HookPoint.UNKNOWN) {
      return "a site's hook point is not known here";
    }
    if (ref.getLayer() < 0 || ref.getLayer() >= layers) {
      return "there is no layer %d; this model has layers 0 … %d"
          .formatted(ref.getLayer(), layers - 1);
    }
    int expected = engine.config().hiddenSize() * Float.BYTES;
    if (site.getValues().remaining() != expected) {
      return "%s of layer %d has %d bytes; D float32 values take %d"
          .formatted(ref.getHookPoint(), ref.getLayer(), site.getValues().remaining(), expected);
    }
    CRC32C crc = new CRC32C();
    crc.update(site.getValues().duplicate());
    if (crc.getValue() != site.getCrc32c() || crc.getValue() != ref.getCrc32c()) {
      return "%s of layer %d has a wrong checksum".formatted(ref.getHookPoint(), ref.getLayer());
    }
    return null;
  }

  private static String valueProblem(float[] values, VectorSiteRef ref) {
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        return "%s of layer %d holds %s at index %d; all values must be finite"
            .formatted(ref.getHookPoint(), ref.getLayer(), values[i], i);
      }
    }
    return null;
  }

  private static float[] floats(ByteBuffer bytes) {
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }
}
