package io.lensflow.worker.steering;

import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.steering.SteeringOperation;
import io.lensflow.records.AppliedSteering;
import io.lensflow.records.Failure;
import io.lensflow.records.SteeringRequest;
import io.lensflow.records.SteeringSource;
import io.lensflow.records.VectorManifest;
import io.lensflow.records.VectorSiteRef;
import io.lensflow.schemas.steering.SteeringFingerprint;
import io.lensflow.text.spec.LayerSpec;
import io.lensflow.text.spec.PositionSpec;
import io.lensflow.worker.publishing.CompletionEvents;
import io.lensflow.worker.request.InvalidRequestException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Says what a wish means now: which version, at which of its sites, how. Changes nothing. Not
 * thread-safe: it looks into the table's catalogue.
 */
final class SteeringResolver {
  private final SteeringCatalog catalog;
  private final int layers;

  /**
   * @param layers L
   */
  SteeringResolver(SteeringCatalog catalog, int layers) {
    this.catalog = catalog;
    this.layers = layers;
  }

  /** What all wishes mean together, in their order; nothing is pinned yet. */
  Resolution resolve(List<SteeringWish> wishes) {
    List<AppliedSteering> applied = new ArrayList<>();
    List<SteeringUse> uses = new ArrayList<>();
    for (SteeringWish wish : wishes) {
      Optional<VectorVersion> found = catalog.find(wish.vector()).filter(VectorVersion::isUsable);
      if (found.isEmpty()) {
        return missing(wish);
      }
      VectorVersion version = found.get();
      List<VectorSiteRef> sites;
      try {
        sites = select(version.manifest(), wish.vector());
      } catch (IllegalArgumentException e) {
        return impossible(wish, "layers", e.getMessage());
      }
      if (sites.isEmpty()) {
        return noSite(version, wish);
      }
      for (VectorSiteRef site : sites) {
        AppliedSteering one = applied(version, wish, site);
        applied.add(one);
        uses.add(use(version.id(), one));
      }
    }
    return new Resolution.Pinned(
        applied.isEmpty()
            ? PinnedSteering.NONE
            : new PinnedSteering(applied, SteeringFingerprint.of(applied), uses));
  }

  private Resolution missing(SteeringWish wish) {
    SteeringRequest vector = wish.vector();
    String alias = vector.getAlias() == null ? SteeringCatalog.LATEST : vector.getAlias();
    String label =
        vector.getName() + (vector.getVersion() == null ? "/" + alias : "@" + vector.getVersion());
    Optional<VectorVersion> found = catalog.find(vector);
    if (found.isPresent() && found.get().state() == VectorVersion.State.REFUSED) {
      String message =
          "%svector %s was refused by this worker: %s"
              .formatted(wish.blame(), label, found.get().reason());
      return new Resolution.Impossible(unavailable(message, wish.path("name")));
    }
    String message =
        "%svector %s is not loaded for model '%s'; publish it first, or name one of %s"
            .formatted(wish.blame(), label, catalog.model(), catalog.someNames());
    return new Resolution.Missing(unavailable(message, wish.path("name")));
  }

  static Failure unavailable(String message, String field) {
    return new Failure(CompletionEvents.STEERING_UNAVAILABLE, message, field);
  }

  private List<VectorSiteRef> select(VectorManifest manifest, SteeringRequest wish) {
    Stream<VectorSiteRef> sites = manifest.getSites().stream();
    if (wish.getHookPoint() != null) {
      sites = sites.filter(site -> site.getHookPoint() == wish.getHookPoint());
    }
    if (wish.getLayers() != null) {
      List<Integer> chosen = LayerSpec.resolve(wish.getLayers(), layers);
      sites = sites.filter(site -> chosen.contains(site.getLayer()));
    }
    return sites.toList();
  }

  private static Resolution noSite(VectorVersion version, SteeringWish wish) {
    List<String> sites =
        version.manifest().getSites().stream()
            .map(site -> site.getHookPoint() + " of layer " + site.getLayer())
            .toList();
    return impossible(
        wish,
        wish.vector().getLayers() != null ? "layers" : "hookPoint",
        "vector %s has no site there; it has %s".formatted(version.id(), sites));
  }

  private static Resolution impossible(SteeringWish wish, String field, String message) {
    return new Resolution.Impossible(
        new Failure(
            wish.policy() == null
                ? InvalidRequestException.INVALID_REQUEST
                : CompletionEvents.STEERING_UNAVAILABLE,
            wish.blame() + message,
            wish.path(field)));
  }

  private static AppliedSteering applied(
      VectorVersion version, SteeringWish wish, VectorSiteRef site) {
    VectorManifest manifest = version.manifest();
    SteeringRequest said = wish.vector();
    String positions = said.getPositions() == null ? manifest.getPositions() : said.getPositions();
    return AppliedSteering.newBuilder()
        .setName(version.id().name())
        .setVersion(version.id().version())
        .setLayer(site.getLayer())
        .setHookPoint(site.getHookPoint())
        .setOperation(said.getOperation() == null ? manifest.getOperation() : said.getOperation())
        .setMultiplier(said.getMultiplier())
        .setPositions(PositionSpec.parse(positions).toString())
        .setPreserveNorm(
            said.getPreserveNorm() == null ? manifest.getPreserveNorm() : said.getPreserveNorm())
        .setSource(wish.policy() == null ? SteeringSource.REQUEST : SteeringSource.POLICY)
        .setPolicy(wish.policy())
        .build();
  }

  private static SteeringUse use(VectorId vector, AppliedSteering applied) {
    return new SteeringUse(
        vector,
        applied.getLayer(),
        HookPoint.valueOf(applied.getHookPoint().name()),
        SteeringOperation.valueOf(applied.getOperation().name()),
        applied.getMultiplier(),
        PositionSpec.parse(applied.getPositions()),
        applied.getPreserveNorm());
  }
}
