package io.lensflow.steering.evaluate;

import static io.lensflow.steering.json.Fields.or;
import static io.lensflow.steering.json.Fields.parsed;
import static io.lensflow.steering.json.Fields.require;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.client.ServedModel;
import io.lensflow.records.HookPoint;
import io.lensflow.records.JobType;
import io.lensflow.steering.build.Balance;
import io.lensflow.steering.build.BuildMethod;
import io.lensflow.steering.build.Site;
import io.lensflow.steering.evaluate.EvaluatePlan.Parts;
import io.lensflow.steering.evaluate.EvaluateRequest.SweepRequest;
import io.lensflow.steering.items.DataSet;
import io.lensflow.steering.items.ItemRenderer;
import io.lensflow.steering.items.PromptFormat;
import io.lensflow.steering.job.JobBook;
import io.lensflow.steering.job.JobKind;
import io.lensflow.steering.job.JobTask;
import io.lensflow.steering.json.StrictJson;
import io.lensflow.steering.json.Symbols;
import io.lensflow.steering.pipeline.Pipeline;
import io.lensflow.steering.tokenizer.ModelTokenizers;
import io.lensflow.steering.topics.SiteReader;
import io.lensflow.steering.vector.NamedVector;
import io.lensflow.steering.vector.Names;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.StoredVersion;
import io.lensflow.steering.vector.VectorId;
import io.lensflow.text.Tokenizer;
import io.lensflow.text.spec.LayerSpec;
import io.lensflow.text.spec.PositionSpec;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Evaluations of vectors on held-out items. Thread-safe. */
public final class EvaluateKind implements JobKind {
  private static final List<Double> MULTIPLIERS = List.of(-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5);

  private final Pipeline pipeline;
  private final ModelTokenizers tokenizers;
  private final VectorDesk desk;
  private final SiteReader sites;
  private final JobBook jobs;
  private final EvaluateLimits limits;
  private final Clock clock;

  /**
   * @param pipeline where answers come from
   * @param tokenizers turns items into token ids
   * @param desk where control vectors are published
   * @param sites reads vectors' values
   * @param jobs tells which jobs may still need the vectors that they published
   */
  public EvaluateKind(
      Pipeline pipeline,
      ModelTokenizers tokenizers,
      VectorDesk desk,
      SiteReader sites,
      JobBook jobs,
      EvaluateLimits limits,
      Clock clock) {
    this.pipeline = pipeline;
    this.tokenizers = tokenizers;
    this.desk = desk;
    this.sites = sites;
    this.jobs = jobs;
    this.limits = limits;
    this.clock = clock;
  }

  @Override
  public JobType type() {
    return JobType.EVALUATE;
  }

  @Override
  public String path() {
    return "evaluations";
  }

  @Override
  public JobTask prepare(String model, JsonNode request) {
    EvaluatePlan plan = plan(model, StrictJson.read(request, EvaluateRequest.class));
    EvaluateTask task = new EvaluateTask(plan, pipeline, desk, sites, jobs::isActive, clock);
    if (task.requests() > limits.maxRequests()) {
      throw RefusedException.invalid(
          plan.isSweep() ? "sweep" : "test",
          "%d requests, more than %d; take fewer items, multipliers or sites, or raise %smax-requests"
              .formatted(task.requests(), limits.maxRequests(), EvaluateLimits.SECTION));
    }
    if (task.heldBytes() > limits.maxHeldBytes()) {
      throw RefusedException.invalid(
          "train",
          "rows of %d bytes must be held together, more than %d; take fewer items or sites, or raise lensflow.steering.jobs.max-held-bytes"
              .formatted(task.heldBytes(), limits.maxHeldBytes()));
    }
    return task;
  }

  private EvaluatePlan plan(String modelName, EvaluateRequest request) {
    require("name", request.name());
    require(DATA, request.data());
    Names.checkVector(request.name());
    ServedModel model = pipeline.model(modelName);
    VectorId id = new VectorId(modelName, request.name());
    boolean sweep = request.sweep() != null;
    StoredVersion version = sweep ? null : version(id, request);
    PromptFormat format = PromptFormat.of(or(request.format(), "chat"));
    Tokenizer tokenizer = tokenizers.of(model);
    ItemRenderer renderer = ItemRenderer.forRequest(tokenizer, format);
    DataSet data =
        DataSet.read(
            or(request.dataset(), "data"), request.data().getBytes(StandardCharsets.UTF_8));
    List<Double> multipliers = multipliers("multipliers", or(request.multipliers(), MULTIPLIERS));
    if (multipliers.size() < 2) {
      throw RefusedException.invalid("multipliers", "a slope needs at least two different ones");
    }
    BuiltFrom builtFrom =
        sweep ? null : BuiltFrom.of(version.manifest(), data.sha256()).orElse(null);
    Parts parts =
        new PartChoice(request, builtFrom, data, renderer, model.maxContext(), limits.maxItems())
            .choose();
    PromptChoice texts = new PromptChoice(request, renderer, tokenizer, limits, model.maxContext());
    return new EvaluatePlan(
        id,
        model,
        version,
        builtFrom,
        sweep ? null : site(request, version),
        sweep ? sweep(request.sweep(), model) : List.of(),
        sweep && Boolean.TRUE.equals(request.sweep().publish()),
        data,
        format,
        tokenizer,
        parts,
        multipliers,
        parsed("positions", () -> PositionSpec.parse(or(request.positions(), "last_prompt")))
            .toString(),
        request.controls() == null || request.controls(),
        method(request, version),
        balance(request, builtFrom),
        texts.neutral(),
        texts.prompts(parts.test().pairs(), promptMultipliers(request, multipliers)),
        or(request.seed(), 0L));
  }

  private StoredVersion version(VectorId id, EvaluateRequest request) {
    NamedVector vector = desk.book().find(id).existing();
    if (request.version() == null) {
      throw RefusedException.invalid(
          "version",
          "must be set: aliases may move while this runs; latest is %d now"
              .formatted(vector.latest()));
    }
    return vector.version(request.version());
  }

  private static Balance balance(EvaluateRequest request, BuiltFrom builtFrom) {
    boolean asBuilt = builtFrom != null && request.method() == null;
    String otherwise = or(asBuilt ? builtFrom.balance() : null, Balance.LABEL.name());
    return Symbols.choose(Balance.class, "balance", or(request.balance(), otherwise));
  }

  /** The one site that is asked for; null if none is said or the version has but one. */
  private static Site site(EvaluateRequest request, StoredVersion version) {
    if (request.hookPoint() == null && request.layer() == null) {
      return null;
    }
    HookPoint hookPoint =
        request.hookPoint() == null
            ? null
            : Symbols.choose(HookPoint.class, "hookPoint", request.hookPoint());
    List<Site> found =
        version.sites().stream()
            .filter(s -> hookPoint == null || s.hookPoint() == hookPoint)
            .filter(s -> request.layer() == null || s.layer() == request.layer())
            .map(s -> new Site(s.hookPoint(), s.layer()))
            .toList();
    if (found.size() != 1) {
      throw RefusedException.invalid(
          "layer",
          "%d of the version's sites are there; say hookPoint and layer of one of %s"
              .formatted(
                  found.size(),
                  version.sites().stream().map(s -> s.hookPoint() + "/" + s.layer()).toList()));
    }
    return found.get(0);
  }

  private static List<Site> sweep(SweepRequest request, ServedModel model) {
    List<Integer> layers =
        parsed(
            "sweep.layers", () -> LayerSpec.resolve(or(request.layers(), "all"), model.layers()));
    List<Site> sites = new ArrayList<>();
    List<String> names = or(request.hookPoints(), List.of("ATTENTION_INPUT", "RESIDUAL_POST"));
    for (String name : names.stream().distinct().toList()) {
      HookPoint hookPoint = Symbols.choose(HookPoint.class, "sweep.hookPoints", name);
      layers.forEach(layer -> sites.add(new Site(hookPoint, layer)));
    }
    if (sites.isEmpty()) {
      throw RefusedException.invalid("sweep.hookPoints", "must name at least one");
    }
    return sites;
  }

  private List<Double> multipliers(String field, List<Double> given) {
    if (given.stream().anyMatch(m -> m == null || !Double.isFinite(m))) {
      throw RefusedException.invalid(field, "must be finite numbers");
    }
    List<Double> sorted = given.stream().map(m -> m + 0.0).distinct().sorted().toList();
    if (sorted.size() > limits.maxMultipliers()) {
      throw RefusedException.invalid(
          field,
          "%d multipliers, more than %d; name fewer, or raise %smax-multipliers"
              .formatted(sorted.size(), limits.maxMultipliers(), EvaluateLimits.SECTION));
    }
    return sorted;
  }

  private List<Double> promptMultipliers(EvaluateRequest request, List<Double> multipliers) {
    return request.promptMultipliers() == null
        ? List.of(multipliers.get(0), 0.0, multipliers.get(multipliers.size() - 1)).stream()
            .distinct()
            .toList()
        : multipliers("promptMultipliers", request.promptMultipliers());
  }

  private static BuildMethod method(EvaluateRequest request, StoredVersion version) {
    if (request.method() != null) {
      return Symbols.choose(BuildMethod.class, "method", request.method());
    }
    return Arrays.stream(BuildMethod.values())
        .filter(m -> version != null && m.name().equals(version.manifest().getMethod()))
        .findFirst()
        .orElse(BuildMethod.MEAN_DIFFERENCE);
  }
}
