package io.lensflow.steering.build;

import static io.lensflow.steering.json.Fields.or;
import static io.lensflow.steering.json.Fields.parsed;
import static io.lensflow.steering.json.Fields.require;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.client.ServedModel;
import io.lensflow.records.HookPoint;
import io.lensflow.records.JobType;
import io.lensflow.records.SteeringOperation;
import io.lensflow.steering.items.DataSet;
import io.lensflow.steering.items.ItemPair;
import io.lensflow.steering.items.ItemPairs;
import io.lensflow.steering.items.ItemRange;
import io.lensflow.steering.items.ItemRenderer;
import io.lensflow.steering.items.ItemSplit;
import io.lensflow.steering.items.PromptFormat;
import io.lensflow.steering.items.SkippedLine;
import io.lensflow.steering.job.JobKind;
import io.lensflow.steering.job.JobTask;
import io.lensflow.steering.json.StrictJson;
import io.lensflow.steering.json.Symbols;
import io.lensflow.steering.pipeline.Pipeline;
import io.lensflow.steering.tokenizer.ModelTokenizers;
import io.lensflow.steering.vector.Names;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.VectorChanges;
import io.lensflow.steering.vector.VectorId;
import io.lensflow.text.Tokenizer;
import io.lensflow.text.spec.LayerSpec;
import io.lensflow.text.spec.PositionSpec;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Builds of vectors from contrastive data. Thread-safe. */
public final class BuildKind implements JobKind {
  /** Digits that one value of a vector has in a result, at most, with its comma. */
  private static final int BYTES_PER_VALUE = 15;

  private final Pipeline pipeline;
  private final ModelTokenizers tokenizers;
  private final VectorChanges changes;
  private final BuildLimits limits;

  /**
   * @param pipeline where rows come from
   * @param tokenizers turns items into token ids
   * @param changes how a version is published
   */
  public BuildKind(
      Pipeline pipeline, ModelTokenizers tokenizers, VectorChanges changes, BuildLimits limits) {
    this.pipeline = pipeline;
    this.tokenizers = tokenizers;
    this.changes = changes;
    this.limits = limits;
  }

  @Override
  public JobType type() {
    return JobType.BUILD;
  }

  @Override
  public String path() {
    return "builds";
  }

  @Override
  public JobTask prepare(String model, JsonNode request) {
    BuildPlan plan = plan(model, StrictJson.read(request, BuildRequest.class));
    checkSizes(plan);
    return new BuildTask(plan, pipeline, changes);
  }

  private BuildPlan plan(String modelName, BuildRequest request) {
    require("name", request.name());
    require(DATA, request.data());
    require("layers", request.layers());
    Names.checkVector(request.name());
    PromptFormat format = PromptFormat.of(or(request.format(), "chat"));
    BuildMethod method =
        Symbols.choose(BuildMethod.class, "method", or(request.method(), "MEAN_DIFFERENCE"));
    Balance balance = Symbols.choose(Balance.class, "balance", or(request.balance(), "LABEL"));
    if (balance == Balance.NONE && method != BuildMethod.MEAN_DIFFERENCE) {
      throw RefusedException.invalid(
          "balance",
          "NONE goes with MEAN_DIFFERENCE only; %s balances the letters by its definition"
              .formatted(method));
    }
    BuildPlan.Publication publication = publication(request);
    ServedModel model = pipeline.model(modelName);
    List<Integer> layers =
        parsed("layers", () -> LayerSpec.resolve(request.layers(), model.layers()));
    DataSet data =
        DataSet.read(
            or(request.dataset(), "data"), request.data().getBytes(StandardCharsets.UTF_8));
    List<Integer> numbers = numbers(request, data);
    Tokenizer tokenizer = tokenizers.of(model);
    ItemPairs chosen =
        ItemPairs.of(
            itemsField(request),
            data,
            numbers,
            ItemRenderer.forRequest(tokenizer, format),
            model.maxContext());
    List<ItemPair> pairs = new ArrayList<>();
    // A split has no part for lines that cannot be read.
    List<SkippedLine> skipped =
        new ArrayList<>(request.split() == null ? List.of() : data.skipped());
    skipped.addAll(chosen.skipped());
    sift(chosen, balance, tokenizer, pairs, skipped);
    return new BuildPlan(
        new VectorId(modelName, request.name()),
        model,
        data,
        ItemRange.format(numbers),
        chosen,
        pairs,
        skipped,
        hookPoints(request.hookPoints()),
        layers,
        method,
        balance,
        format,
        publication);
  }

  /** Takes out what the method cannot use: with a balance, items whose reverse order is absent. */
  private static void sift(
      ItemPairs chosen,
      Balance balance,
      Tokenizer tokenizer,
      List<ItemPair> pairs,
      List<SkippedLine> skipped) {
    Set<LabelOrder> orders =
        chosen.pairs().stream().map(LabelOrder::of).collect(Collectors.toSet());
    for (ItemPair pair : chosen.pairs()) {
      if (balance == Balance.NONE || orders.contains(LabelOrder.of(pair).reversed())) {
        pairs.add(pair);
      } else {
        String reason =
            "no other item has '%s' as the matching answer and '%s' as the other, which would take out what the letters alone make"
                .formatted(
                    tokenizer.decode(pair.otherToken()), tokenizer.decode(pair.matchingToken()));
        skipped.add(new SkippedLine(pair.item().line(), pair.item().number(), reason));
      }
    }
    if (pairs.isEmpty()) {
      throw RefusedException.invalid(
          DATA,
          "the matching answers are all of one class: no item has its reverse order; add such items, or use balance NONE. "
              + DataSet.quote(skipped));
    }
  }

  private void checkSizes(BuildPlan plan) {
    int hiddenSize = plan.model().hiddenSize();
    long held = plan.sites().size() * SiteBuild.heldBytes(plan.method(), plan.pairs(), hiddenSize);
    if (held > limits.maxHeldBytes()) {
      throw RefusedException.invalid(
          "layers",
          "rows of %d bytes must be held together; build fewer layers or hook points at a time, or raise lensflow.steering.jobs.max-held-bytes (%d)"
              .formatted(held, limits.maxHeldBytes()));
    }
    long values = (long) plan.sites().size() * hiddenSize;
    if (!plan.publication().publish() && values * BYTES_PER_VALUE > limits.maxResultBytes()) {
      throw RefusedException.invalid(
          "publish",
          "%d values are too many for a result; build fewer layers at a time, or publish"
              .formatted(values));
    }
  }

  private static List<Integer> numbers(BuildRequest request, DataSet data) {
    if (request.train() != null && request.split() != null) {
      throw RefusedException.invalid("split", "give either train or split");
    }
    if (request.split() != null) {
      return ItemSplit.of(data, request.split()).train();
    }
    return request.train() == null
        ? IntStream.range(0, data.size()).boxed().toList()
        : ItemRange.resolve("train", request.train(), data.size());
  }

  private static String itemsField(BuildRequest request) {
    return request.split() != null ? "split" : request.train() != null ? "train" : DATA;
  }

  private static List<HookPoint> hookPoints(List<String> names) {
    if (names == null) {
      return List.of(HookPoint.ATTENTION_INPUT);
    }
    List<HookPoint> hookPoints = new ArrayList<>();
    for (String name : names) {
      String field = "hookPoints[%d]".formatted(hookPoints.size());
      require(field, name);
      HookPoint hookPoint = Symbols.choose(HookPoint.class, field, name);
      if (hookPoints.contains(hookPoint)) {
        throw RefusedException.invalid(field, "%s is there twice".formatted(hookPoint));
      }
      hookPoints.add(hookPoint);
    }
    if (hookPoints.isEmpty()) {
      throw RefusedException.invalid("hookPoints", "must name at least one");
    }
    return hookPoints;
  }

  private static BuildPlan.Publication publication(BuildRequest request) {
    String positions = or(request.positions(), "all");
    parsed("positions", () -> PositionSpec.parse(positions));
    return new BuildPlan.Publication(
        request.publish() == null || request.publish(),
        Symbols.choose(SteeringOperation.class, "operation", or(request.operation(), "ADD")),
        positions,
        request.preserveNorm() != null && request.preserveNorm(),
        request.author(),
        request.description(),
        request.expectedVersion());
  }
}
