package io.lensflow.steering.vector;

import io.lensflow.records.SteeringOperation;
import io.lensflow.records.VectorManifest;
import java.util.List;

/**
 * A vector that somebody wants published, before it has a version. {@link DraftCheck} decides
 * whether it can have one.
 *
 * @param revision revision of the checkpoint it was made for; null fits any
 * @param sites every place it acts at, in the order of application
 * @param operation default operation
 * @param positions default positions, in the language of {@code PositionSpec}
 * @param preserveNorm default of preserveNorm
 * @param provenance how it was made
 * @param author who made it; empty if not known
 * @param description what it is for
 * @param sources other versions that it was made of, as the manifest says them
 * @param expectedVersion version that must be {@code latest} for the publish to go through, 0 for
 *     none; null does not ask
 */
public record VectorDraft(
    String revision,
    List<SiteDraft> sites,
    SteeringOperation operation,
    String positions,
    boolean preserveNorm,
    Provenance provenance,
    String author,
    String description,
    List<String> sources,
    Integer expectedVersion) {
  public VectorDraft {
    sites = List.copyOf(sites);
    sources = List.copyOf(sources);
  }

  /**
   * A draft that takes all that a manifest says of how a vector was made.
   *
   * @param sources other versions that it was made of
   */
  public static VectorDraft of(
      VectorManifest manifest, List<SiteDraft> sites, List<String> sources, Integer expected) {
    return new VectorDraft(
        manifest.getRevision(),
        sites,
        manifest.getOperation(),
        manifest.getPositions(),
        manifest.getPreserveNorm(),
        Provenance.of(manifest),
        manifest.getAuthor(),
        manifest.getDescription(),
        sources,
        expected);
  }

  /**
   * A draft of a vector that is only needed for a while.
   *
   * @param like whose operation it has, positions and revision too
   * @param method what it is
   * @param description whose it is
   */
  public static VectorDraft temporary(
      VectorManifest like, String method, List<SiteDraft> sites, String description) {
    return new VectorDraft(
        like.getRevision(),
        sites,
        like.getOperation(),
        like.getPositions(),
        like.getPreserveNorm(),
        Provenance.of(method),
        "",
        description,
        List.of(),
        null);
  }
}
