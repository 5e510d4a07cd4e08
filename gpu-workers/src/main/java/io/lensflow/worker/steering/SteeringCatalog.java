package io.lensflow.worker.steering;

import io.lensflow.records.RefusedVector;
import io.lensflow.records.SteeringAlias;
import io.lensflow.records.SteeringRequest;
import io.lensflow.records.SteeringVector;
import io.lensflow.records.VectorRecordType;
import io.lensflow.worker.ranks.EngineInfo;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The vectors of one model as the steering topics tell them: which versions exist, which are on the
 * ranks, what aliases mean. Holds no native memory and talks to nobody.
 *
 * <p>A version that is refused never becomes what an alias means: the alias keeps the version that
 * it meant before, so that "the old version stays". Not thread-safe: owned by the table.
 */
final class SteeringCatalog {
  static final String LATEST = "latest";

  private final String model;
  private final EngineInfo engine;
  private final SteeringKeys keys;
  private final SteeringResolver resolver;
  private final SortedMap<VectorId, VectorVersion> versions = new TreeMap<>();
  private final Map<SteeringKeys.AliasKey, Alias> aliases = new HashMap<>();

  /** What an alias should mean, and the newest of its versions that is usable here (0 for none). */
  private static final class Alias {
    private int target;
    private int effective;
  }

  /** A version that is to be put on the ranks. */
  record Preparation(VectorId vector, List<SiteVector> sites) {}

  /**
   * @param model served name
   * @param engine what vectors must fit
   */
  SteeringCatalog(String model, EngineInfo engine) {
    this.model = model;
    this.engine = engine;
    this.keys = new SteeringKeys(model);
    this.resolver = new SteeringResolver(this, engine.config().layers());
  }

  /** Takes one record; those of other models change nothing. */
  void apply(SteeringUpdate update, Instant now) {
    if (!keys.isMine(update.key())) {
      return;
    }
    if (update instanceof SteeringUpdate.Vector vector) {
      keys.vector(update.key()).ifPresent(key -> applyVector(key, vector.value(), now));
    } else if (update instanceof SteeringUpdate.Alias alias) {
      keys.alias(update.key()).ifPresent(key -> applyAlias(key, alias.value()));
    } else if (update instanceof SteeringUpdate.BrokenVector broken) {
      keys.vector(update.key()).ifPresent(key -> version(key.vector()).refuse(broken.reason()));
    }
  }

  private void applyVector(SteeringKeys.VectorKey key, SteeringVector value, Instant now) {
    VectorVersion version = version(key.vector());
    if (value == null) {
      if (!key.site()) {
        version.retire();
      }
    } else if (!value.getModel().equals(model)) {
      version.refuse("its record says model '%s', its key '%s'".formatted(value.getModel(), model));
    } else if (value.getType() == VectorRecordType.SITE && value.getSite() != null) {
      version.add(value.getSite());
    } else if (value.getType() == VectorRecordType.MANIFEST && value.getManifest() != null) {
      version.describe(value.getManifest(), now);
    }
  }

  private VectorVersion version(VectorId id) {
    return versions.computeIfAbsent(id, VectorVersion::new);
  }

  private void applyAlias(SteeringKeys.AliasKey key, SteeringAlias value) {
    if (value == null) {
      aliases.remove(key);
      return;
    }
    aliases.computeIfAbsent(key, k -> new Alias()).target = value.getVersion();
  }

  /** Versions that have become complete and fit the model; each is returned once. */
  List<Preparation> takeComplete() {
    List<Preparation> complete = new ArrayList<>();
    for (VectorVersion version : versions.values()) {
      if (version.waitingSince() != null && !version.isRetired() && version.missingSite() == null) {
        List<SiteVector> sites = version.check(engine);
        if (sites != null) {
          complete.add(new Preparation(version.id(), sites));
        }
      }
    }
    return complete;
  }

  /** Whether versions are on their way to the ranks. */
  boolean isPreparing() {
    return versions.values().stream().anyMatch(v -> v.state() == VectorVersion.State.PREPARING);
  }

  /** The ranks have answered. */
  void prepared(VectorId vector, String problem) {
    VectorVersion version = version(vector);
    if (problem == null) {
      version.loaded();
    } else {
      version.refuse(problem);
    }
  }

  /** Refuses versions whose sites did not come in time. */
  void refuseIncomplete(Instant now, Duration patience) {
    for (VectorVersion version : versions.values()) {
      Instant since = version.waitingSince();
      if (since != null && !now.isBefore(since.plus(patience)) && version.missingSite() != null) {
        version.refuse("its site %s is absent".formatted(version.missingSite()));
      }
    }
  }

  /** Retired versions that nobody uses: they are forgotten, and the loaded ones returned. */
  List<VectorId> takeReleasable() {
    List<VectorId> releasable = new ArrayList<>();
    Iterator<VectorVersion> all = versions.values().iterator();
    while (all.hasNext()) {
      VectorVersion version = all.next();
      boolean busy = version.state() == VectorVersion.State.PREPARING || version.pins() > 0;
      if (version.isRetired() && !busy) {
        if (version.state() == VectorVersion.State.LOADED) {
          releasable.add(version.id());
        }
        all.remove();
      }
    }
    return releasable;
  }

  /** Lets aliases follow what was loaded or retired. Call after every change. */
  void settleAliases() {
    for (Map.Entry<SteeringKeys.AliasKey, Alias> entry : aliases.entrySet()) {
      Alias alias = entry.getValue();
      String name = entry.getKey().name();
      if (isUsable(name, alias.target)) {
        alias.effective = alias.target;
      } else if (!isUsable(name, alias.effective)) {
        // After a restart nobody remembers what it meant before; 'latest' means the newest there
        // is.
        boolean latest = entry.getKey().alias().equals(LATEST) && isRefused(name, alias.target);
        alias.effective = latest ? newestUsable(name) : 0;
      }
    }
  }

  private boolean isUsable(String name, int version) {
    VectorVersion found = versions.get(new VectorId(name, version));
    return found != null && found.isUsable();
  }

  private boolean isRefused(String name, int version) {
    VectorVersion found = versions.get(new VectorId(name, version));
    return found != null && found.state() == VectorVersion.State.REFUSED;
  }

  private int newestUsable(String name) {
    return versions.values().stream()
        .filter(v -> v.id().name().equals(name) && v.isUsable())
        .mapToInt(v -> v.id().version())
        .max()
        .orElse(0);
  }

  /** Pins what a request is to be steered by. Either all of it is pinned or nothing. */
  Resolution resolve(List<SteeringWish> wishes) {
    Resolution resolution = resolver.resolve(wishes);
    if (resolution instanceof Resolution.Pinned pinned) {
      pinned.steering().uses().stream()
          .map(SteeringUse::vector)
          .distinct()
          .forEach(id -> versions.get(id).pin());
    }
    return resolution;
  }

  /** Says what wishes mean now, over this catalogue. */
  SteeringResolver resolver() {
    return resolver;
  }

  /** Gives back what a request had pinned. */
  void unpin(PinnedSteering steering) {
    steering.uses().stream()
        .map(SteeringUse::vector)
        .distinct()
        .map(versions::get)
        .filter(Objects::nonNull)
        .forEach(VectorVersion::unpin);
  }

  /** The version that a wish means, usable or not. */
  Optional<VectorVersion> find(SteeringRequest wish) {
    if (wish.getVersion() != null) {
      return Optional.ofNullable(versions.get(new VectorId(wish.getName(), wish.getVersion())));
    }
    String name = wish.getAlias() == null ? LATEST : wish.getAlias();
    Alias alias = aliases.get(new SteeringKeys.AliasKey(wish.getName(), name));
    if (alias == null) {
      return Optional.empty();
    }
    int version = alias.effective != 0 ? alias.effective : alias.target;
    return Optional.ofNullable(versions.get(new VectorId(wish.getName(), version)));
  }

  /** Served name of the model. */
  String model() {
    return model;
  }

  /** Up to 20 versions that can be used, for an error. */
  List<String> someNames() {
    return versions.values().stream()
        .filter(VectorVersion::isUsable)
        .map(v -> v.id().toString())
        .limit(20)
        .toList();
  }

  /** What can be used now, sorted. */
  List<io.lensflow.records.VectorVersion> loaded() {
    return versions.values().stream()
        .filter(VectorVersion::isUsable)
        .map(VectorVersion::named)
        .toList();
  }

  /** What was refused and why, sorted. */
  List<RefusedVector> refused() {
    return versions.values().stream()
        .filter(v -> v.state() == VectorVersion.State.REFUSED && !v.isRetired())
        .map(v -> new RefusedVector(v.id().name(), v.id().version(), v.reason()))
        .toList();
  }
}
