package io.lensflow.steering.http;

import io.lensflow.records.VectorManifest;
import io.lensflow.steering.algebra.VectorAlgebra;
import io.lensflow.steering.vector.Float32;
import io.lensflow.steering.vector.SiteDraft;
import io.lensflow.steering.vector.StoredVersion;
import io.lensflow.steering.vector.VectorId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.avro.Schema;

/** What two versions of a vector differ in, as a JSON object. Stateless. */
final class VersionDiff {
  private VersionDiff() {}

  static Map<String, Object> between(
      VectorId id,
      StoredVersion from,
      List<SiteDraft> fromSites,
      StoredVersion to,
      List<SiteDraft> toSites) {
    return Answers.object(
        "model", id.model(),
        "name", id.name(),
        "from", from.version(),
        "to", to.version(),
        "fields", fields(from.manifest(), to.manifest()),
        "sites", sites(fromSites, toSites));
  }

  /** Every field of the manifests that differs; sites are compared by their values. */
  private static Map<String, Object> fields(VectorManifest from, VectorManifest to) {
    Map<String, Object> fields = new LinkedHashMap<>();
    for (Schema.Field field : VectorManifest.getClassSchema().getFields()) {
      Object before = from.get(field.pos());
      Object after = to.get(field.pos());
      if (!field.name().equals("sites") && !Objects.equals(before, after)) {
        fields.put(field.name(), Answers.object("from", plain(before), "to", plain(after)));
      }
    }
    return fields;
  }

  private static Object plain(Object value) {
    return value instanceof Enum<?> symbol ? symbol.name() : value;
  }

  private static List<Map<String, Object>> sites(List<SiteDraft> from, List<SiteDraft> to) {
    Map<String, float[]> old = new LinkedHashMap<>();
    from.forEach(site -> old.put(place(site), site.values()));
    List<Map<String, Object>> sites = new ArrayList<>();
    for (SiteDraft site : to) {
      sites.add(site(site, old.remove(place(site)), site.values()));
    }
    for (SiteDraft site : from) {
      if (old.containsKey(place(site))) {
        sites.add(site(site, site.values(), null));
      }
    }
    return sites;
  }

  /** A site that only one version has shows no comparison. */
  private static Map<String, Object> site(SiteDraft place, float[] before, float[] after) {
    boolean both = before != null && after != null && before.length == after.length;
    return Answers.object(
        "layer", place.layer(),
        "hookPoint", place.hookPoint().name(),
        "normFrom", before == null ? null : Float32.norm(before),
        "normTo", after == null ? null : Float32.norm(after),
        "cosine", both ? VectorAlgebra.cosine(before, after) : null,
        "distance", both ? VectorAlgebra.distance(before, after) : null);
  }

  private static String place(SiteDraft site) {
    return site.hookPoint() + "/" + site.layer();
  }
}
