package io.lensflow.schemas.steering;

import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringOperation;
import io.lensflow.records.VectorManifest;
import io.lensflow.records.VectorSite;
import io.lensflow.records.VectorSiteRef;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * Whether the records of a vector's version can be used with a model. Whoever uses vectors asks, so
 * that all refuse the same ones. Immutable and thread-safe.
 *
 * @param layers L of the model
 * @param hiddenSize its D
 * @param revision revision of the checkpoint that is loaded
 */
public record VectorCheck(int layers, int hiddenSize, String revision) {
  /** What is wrong with a manifest, one sentence; null if nothing is. */
  public String problem(VectorManifest manifest) {
    if (manifest.getSites().isEmpty()) {
      return "the manifest names no site";
    }
    if (manifest.getHiddenSize() != hiddenSize) {
      return "made for D=%d; this model has D=%d".formatted(manifest.getHiddenSize(), hiddenSize);
    }
    if (manifest.getRevision() != null && !manifest.getRevision().equals(revision)) {
      return "made for revision %s; this model is of revision %s"
          .formatted(manifest.getRevision(), revision);
    }
    return manifest.getOperation() == SteeringOperation.UNKNOWN
        ? "the manifest's operation is not known here"
        : null;
  }

  /**
   * What is wrong with a site, one sentence; null if nothing is.
   *
   * @param ref as the manifest names it
   * @param site its record
   */
  public String problem(VectorSiteRef ref, VectorSite site) {
    if (ref.getHookPoint() == HookPoint.UNKNOWN) {
      return "a site's hook point is not known here";
    }
    if (ref.getLayer() < 0 || ref.getLayer() >= layers) {
      return "there is no layer %d; this model has layers 0 … %d"
          .formatted(ref.getLayer(), layers - 1);
    }
    int expected = hiddenSize * Float.BYTES;
    if (site.getValues().remaining() != expected) {
      return "%s of layer %d has %d bytes; D float32 values take %d"
          .formatted(ref.getHookPoint(), ref.getLayer(), site.getValues().remaining(), expected);
    }
    CRC32C crc = new CRC32C();
    crc.update(site.getValues().duplicate());
    if (crc.getValue() != site.getCrc32c() || crc.getValue() != ref.getCrc32c()) {
      return "%s of layer %d has a wrong checksum".formatted(ref.getHookPoint(), ref.getLayer());
    }
    float[] values = values(site);
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        return "%s of layer %d holds %s at index %d; all values must be finite"
            .formatted(ref.getHookPoint(), ref.getLayer(), values[i], i);
      }
    }
    return null;
  }

  /** The D values of a site. */
  public static float[] values(VectorSite site) {
    ByteBuffer bytes = site.getValues().duplicate().order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }
}
