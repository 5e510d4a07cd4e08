package io.lensflow.steering.http;

import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import io.lensflow.records.VectorManifest;
import io.lensflow.steering.algebra.Operand;
import io.lensflow.steering.algebra.VectorAlgebra;
import io.lensflow.steering.json.Fields;
import io.lensflow.steering.topics.SiteReader;
import io.lensflow.steering.vector.Float32;
import io.lensflow.steering.vector.NamedVector;
import io.lensflow.steering.vector.Names;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.Provenance;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.SiteDraft;
import io.lensflow.steering.vector.StoredVersion;
import io.lensflow.steering.vector.VectorBook;
import io.lensflow.steering.vector.VectorDraft;
import io.lensflow.steering.vector.VectorId;
import io.lensflow.text.spec.LayerSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** Combining, comparing and measuring vectors over HTTP. Thread-safe. */
final class AlgebraRoutes {
  private static final int MAX_TERMS = 64;

  /** Of a cosine matrix; its cost grows with the square. */
  private static final int MAX_ITEMS = 512;

  private final VectorBook book;
  private final SiteReader sites;
  private final Publishing publishing;
  private final Bodies bodies;
  private final RequestParts parts;

  /** A version with its values. */
  private record Loaded(NamedVector vector, StoredVersion version, List<SiteDraft> sites) {
    String label() {
      return vector.id().name() + "@" + version.version();
    }
  }

  AlgebraRoutes(
      VectorBook book, SiteReader sites, Publishing publishing, Bodies bodies, RequestParts parts) {
    this.book = book;
    this.sites = sites;
    this.publishing = publishing;
    this.bodies = bodies;
    this.parts = parts;
  }

  List<Route> routes() {
    return List.of(
        Route.read(HandlerType.GET, "/v1/models/{model}/similarity", this::similarity),
        Route.read(HandlerType.GET, VectorRoutes.VECTOR + "/diff", this::diff),
        Route.write(HandlerType.POST, VectorRoutes.VECTOR + "/combine", this::combine));
  }

  private void combine(Context ctx) throws IOException {
    VectorId id = parts.vectorId(ctx);
    CombineBody body = bodies.read(ctx, CombineBody.class);
    List<Loaded> loaded = new ArrayList<>();
    List<Operand> terms = operands(id.model(), "terms", body.terms(), loaded);
    if (terms.isEmpty()) {
      throw RefusedException.invalid("terms", "must name at least one vector");
    }
    List<Operand> others = operands(id.model(), "orthogonalTo", body.orthogonalTo(), loaded);
    List<SiteDraft> result = VectorAlgebra.weightedSum(terms);
    if (!others.isEmpty()) {
      result = VectorAlgebra.orthogonal(result, others);
    }
    Origin origin = RequestParts.origin(ctx);
    VectorManifest first = loaded.get(0).version().manifest();
    VectorDraft draft =
        new VectorDraft(
            commonRevision(loaded.subList(0, terms.size())),
            result,
            first.getOperation(),
            first.getPositions(),
            first.getPreserveNorm(),
            Provenance.of("COMBINATION"),
            Objects.requireNonNullElse(body.author(), origin.actor()),
            Objects.requireNonNullElse(body.description(), ""),
            sources(terms, others),
            body.expectedVersion());
    publishing.publish(ctx, id, draft, origin);
  }

  private List<Operand> operands(
      String model, String field, List<CombineBody.Term> terms, List<Loaded> loaded) {
    List<Operand> operands = new ArrayList<>();
    if (terms == null) {
      return operands;
    }
    if (terms.size() > MAX_TERMS) {
      throw RefusedException.invalid(
          field, "%d are more than the %d allowed".formatted(terms.size(), MAX_TERMS));
    }
    for (CombineBody.Term term : terms) {
      String at = "%s[%d]".formatted(field, operands.size());
      if (term == null || term.name() == null) {
        throw RefusedException.invalid(at + ".name", "must name a vector");
      }
      double weight = term.weight() == null ? 1 : term.weight();
      if (!Double.isFinite(weight)) {
        throw RefusedException.invalid(at + ".weight", "must be a finite number");
      }
      String version =
          term.version() != null
              ? term.version().toString()
              : Objects.requireNonNullElse(term.alias(), Names.LATEST);
      Loaded one = load(model, term.name(), at + ".version", version);
      loaded.add(one);
      operands.add(new Operand(one.label(), weight, one.sites()));
    }
    return operands;
  }

  private Loaded load(String model, String name, String field, String version) {
    NamedVector vector = book.find(new VectorId(model, name)).existing();
    StoredVersion stored = RequestParts.version(vector, field, version);
    return new Loaded(vector, stored, sites.drafts(stored));
  }

  private static String commonRevision(List<Loaded> terms) {
    List<String> revisions =
        terms.stream()
            .map(term -> term.version().manifest().getRevision())
            .filter(Objects::nonNull)
            .distinct()
            .toList();
    if (revisions.size() > 1) {
      throw RefusedException.invalid(
          "terms", "they were made for different revisions of the model: " + revisions);
    }
    return revisions.isEmpty() ? null : revisions.get(0);
  }

  private static List<String> sources(List<Operand> terms, List<Operand> others) {
    List<String> sources = new ArrayList<>();
    terms.forEach(term -> sources.add(term.weight() + " * " + term.label()));
    others.forEach(other -> sources.add("orthogonal to " + other.label()));
    return sources;
  }

  private void similarity(Context ctx) {
    String model = parts.model(ctx);
    String names = ctx.queryParam("vectors");
    if (names == null || names.isBlank()) {
      throw RefusedException.invalid(
          "vectors", "must name vectors: NAME, NAME@VERSION or NAME@ALIAS, comma separated");
    }
    List<Map<String, Object>> items = new ArrayList<>();
    List<float[]> values = new ArrayList<>();
    for (String name : names.split(",")) {
      String[] halves = name.strip().split("@", 2);
      Loaded one = load(model, halves[0], "vectors", halves.length == 1 ? Names.LATEST : halves[1]);
      for (SiteDraft site : chosen(ctx, one.sites())) {
        items.add(
            Answers.object(
                "name", halves[0],
                "version", one.version().version(),
                "layer", site.layer(),
                "hookPoint", site.hookPoint().name(),
                "norm", Float32.norm(site.values())));
        values.add(site.values());
      }
      if (items.size() > MAX_ITEMS) {
        throw RefusedException.invalid(
            "vectors",
            "more than %d sites are compared; choose layers or a hookPoint".formatted(MAX_ITEMS));
      }
    }
    ctx.json(Answers.object("model", model, "items", items, "cosines", matrix(values)));
  }

  private static List<SiteDraft> chosen(Context ctx, List<SiteDraft> sites) {
    String layers = ctx.queryParam("layers");
    String hookPoint = ctx.queryParam("hookPoint");
    int count = 1 + sites.stream().mapToInt(SiteDraft::layer).max().orElse(0);
    List<Integer> wanted =
        layers == null ? null : Fields.parsed("layers", () -> LayerSpec.resolve(layers, count));
    return sites.stream()
        .filter(site -> wanted == null || wanted.contains(site.layer()))
        .filter(site -> hookPoint == null || site.hookPoint().name().equalsIgnoreCase(hookPoint))
        .toList();
  }

  private static double[][] matrix(List<float[]> values) {
    for (float[] one : values) {
      if (one.length != values.get(0).length) {
        throw RefusedException.invalid(
            "vectors", "lengths %d and %d differ".formatted(one.length, values.get(0).length));
      }
    }
    double[][] cosines = new double[values.size()][values.size()];
    for (int i = 0; i < values.size(); i++) {
      cosines[i][i] = 1;
      for (int j = 0; j < i; j++) {
        cosines[i][j] = VectorAlgebra.cosine(values.get(i), values.get(j));
        cosines[j][i] = cosines[i][j];
      }
    }
    return cosines;
  }

  private void diff(Context ctx) {
    NamedVector vector = parts.existing(ctx);
    String to = Objects.requireNonNullElse(ctx.queryParam("to"), Names.LATEST);
    StoredVersion newer = RequestParts.version(vector, "to", to);
    String from = ctx.queryParam("from");
    Integer before = new TreeMap<>(vector.versions()).lowerKey(newer.version());
    if (from == null && before == null) {
      throw RefusedException.invalid(
          "from", "there is no version before %d; name one".formatted(newer.version()));
    }
    StoredVersion older =
        RequestParts.version(vector, "from", from == null ? before.toString() : from);
    ctx.json(
        VersionDiff.between(vector.id(), older, sites.drafts(older), newer, sites.drafts(newer)));
  }
}
