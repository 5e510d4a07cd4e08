package io.lensflow.steering.vector;

import io.lensflow.records.VectorManifest;
import java.time.Instant;
import java.util.List;

/**
 * A published version. Immutable; the manifest is a record of the topic and must not be changed.
 *
 * @param version number, from 1
 * @param createdAt when it was published
 * @param manifest what describes it
 * @param sites its sites, in the order of application
 */
public record StoredVersion(
    int version, Instant createdAt, VectorManifest manifest, List<StoredSite> sites) {
  public StoredVersion {
    sites = List.copyOf(sites);
  }
}
