package io.lensflow.steering.evaluate;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.steering.build.BuiltSite;
import io.lensflow.steering.build.Site;
import io.lensflow.steering.evaluate.Evaluation.Generation;
import io.lensflow.steering.evaluate.Evaluation.SideEffects;
import io.lensflow.steering.evaluate.Evaluation.Sweep;
import io.lensflow.steering.items.ItemPair;
import io.lensflow.steering.job.JobContext;
import io.lensflow.steering.job.JobResult;
import io.lensflow.steering.job.JobTask;
import io.lensflow.steering.pipeline.Pipeline;
import io.lensflow.steering.topics.SiteReader;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.SiteDraft;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * An evaluation: rows of the training items where controls or a sweep need them, the sweep's site,
 * the controls, the test items under all of these vectors, the neutral text, the continuations.
 * Used by one thread.
 */
final class EvaluateTask implements JobTask {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SWEEP = "SWEEP";

  private final EvaluatePlan plan;
  private final Pipeline pipeline;
  private final VectorDesk desk;
  private final SiteReader siteReader;
  private final Predicate<String> isActive;
  private final Clock clock;

  /** What is judged: who steers, and what it is. */
  private record Judged(SteeredBy steeredBy, List<SiteDraft> sites, Double labelShare) {}

  EvaluateTask(
      EvaluatePlan plan,
      Pipeline pipeline,
      VectorDesk desk,
      SiteReader siteReader,
      Predicate<String> isActive,
      Clock clock) {
    this.plan = plan;
    this.pipeline = pipeline;
    this.desk = desk;
    this.siteReader = siteReader;
    this.isActive = isActive;
    this.clock = clock;
  }

  /** How many requests it takes, to within a few. */
  long requests() {
    long multipliers = plan.multipliers().size();
    long vectors = 1 + (plan.controls() ? needsTrain() ? 2 : 1 : 0);
    long count = vectors * plan.parts().test().pairs().size() * multipliers;
    if (needsTrain()) {
      count += 2L * plan.parts().train().pairs().size();
    }
    if (plan.isSweep()) {
      count += plan.sweep().size() * plan.parts().validation().pairs().size() * multipliers;
    }
    if (plan.neutral() != null) {
      count += SideEffectRun.count(plan.model().vocabularySize(), (int) multipliers);
    }
    return count + (long) plan.prompts().texts().size() * plan.prompts().multipliers().size();
  }

  /** Bytes that training rows, and what is made of them, take all together. */
  long heldBytes() {
    return needsTrain() ? TrainRows.heldBytes(plan) : 0;
  }

  private boolean needsTrain() {
    return plan.parts().train() != null && (plan.controls() || plan.isSweep());
  }

  @Override
  public JobResult run(JobContext job) throws Exception {
    TemporaryVectors.retireLeftovers(desk, job.model(), isActive);
    TemporaryVectors temporary = new TemporaryVectors(desk, job, plan.manifest());
    return temporary.during(() -> measure(job, temporary));
  }

  private JobResult measure(JobContext job, TemporaryVectors temporary) {
    long begun = System.nanoTime();
    Measuring measuring = new Measuring(job, pipeline, plan.model(), requests());
    List<SiteDraft> given = plan.isSweep() ? List.of() : siteReader.drafts(plan.version());
    TrainRows train = needsTrain() ? train(measuring) : null;
    Sweep sweep = null;
    Judged judged;
    if (plan.isSweep()) {
      SweepRun run = new SweepRun(plan, train.vectors(), temporary.name());
      int version = temporary.version(SWEEP, run::drafts);
      sweep = run.judge(measuring, version);
      judged = judged(run, temporary.name(), version);
    } else {
      judged = judged(given);
    }
    Controls controls = new Controls(plan, judged.sites(), train, temporary);
    List<SteeredBy> vectors = new ArrayList<>(List.of(judged.steeredBy()));
    vectors.addAll(controls.publish());
    List<ItemPair> test = plan.parts().test().pairs();
    double[][][] propensity =
        new PropensityRun(vectors, test, plan.multipliers(), plan.positions(), plan.zeroIsNone())
            .measure(measuring, "test");
    SideEffects effects =
        plan.neutral() == null
            ? null
            : new SideEffectRun(measuring, plan.neutral(), judged.steeredBy(), plan.multipliers())
                .measure();
    List<Generation> generations =
        new GenerationRun(plan.prompts()).measure(measuring, judged.steeredBy());
    Findings findings = new Findings(plan, judged.sites(), judged.labelShare(), train);
    Evaluation evaluation =
        findings.of(
            propensity,
            new Findings.Measured(
                controls,
                sweep,
                effects,
                generations,
                measuring.done(),
                (System.nanoTime() - begun) / 1e9,
                clock.instant()));
    return result(job, findings, evaluation);
  }

  private TrainRows train(Measuring measuring) {
    TrainRows train = TrainRows.of(plan);
    train.gather(measuring, "train");
    return train;
  }

  private List<SiteDraft> chosen(List<SiteDraft> sites) {
    return sites.stream()
        .filter(site -> plan.site() == null || plan.site().equals(Site.of(site)))
        .toList();
  }

  private Judged judged(List<SiteDraft> given) {
    return new Judged(
        new SteeredBy(plan.vector().name(), plan.version().version(), plan.site()),
        chosen(given),
        plan.version().manifest().getLabelShare());
  }

  private static Judged judged(SweepRun run, String name, int version) {
    BuiltSite best = run.best();
    return new Judged(
        new SteeredBy(name, version, best.site()),
        List.of(best.draft("sites[0].")),
        best.labelShare());
  }

  private JobResult result(JobContext job, Findings findings, Evaluation evaluation) {
    if (!plan.publish()) {
      return JobResult.of(JSON.valueToTree(evaluation));
    }
    return JobResult.publishing(
        () ->
            desk.changes()
                .publish(plan.vector(), findings.draft(job.actor()), Origin.http(job.actor())),
        change -> {
          ObjectNode json = JSON.valueToTree(evaluation);
          change.warnings().forEach(json.withArray("warnings")::add);
          return json.put("vector", plan.vector().name() + "@" + change.versions().get(0));
        });
  }
}
