package io.lensflow.steering.build;

import io.lensflow.steering.items.DataSet;
import io.lensflow.steering.items.ItemPair;
import io.lensflow.steering.items.SkippedLine;
import io.lensflow.steering.job.JobContext;
import io.lensflow.steering.job.JobKind;
import io.lensflow.steering.job.JobResult;
import io.lensflow.steering.job.JobTask;
import io.lensflow.steering.pipeline.Pipeline;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.Provenance;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.SiteDraft;
import io.lensflow.steering.vector.VectorChanges;
import io.lensflow.steering.vector.VectorDraft;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A build: two requests an item, request 2i with the matching answer and 2i+1 with the other, each
 * read to its answer and captured there, at all sites at once. Used by one thread.
 */
final class BuildTask implements JobTask, AnswerRows.Sink {
  /** More than this is said to be the letters' doing. */
  private static final double MUCH_LABEL = 0.3;

  private final BuildPlan plan;
  private final Pipeline pipeline;
  private final VectorChanges changes;
  private final Map<Site, SiteBuild> builds = new HashMap<>();

  /** Lines whose requests failed, by item. */
  private final Map<Integer, SkippedLine> failed = new HashMap<>();

  BuildTask(BuildPlan plan, Pipeline pipeline, VectorChanges changes) {
    this.plan = plan;
    this.pipeline = pipeline;
    this.changes = changes;
    int hiddenSize = plan.model().hiddenSize();
    for (Site site : plan.sites()) {
      builds.put(site, new SiteBuild(site, plan.method(), plan.balance(), hiddenSize));
    }
  }

  @Override
  public JobResult run(JobContext job) {
    int items = plan.pairs().size();
    int[] answers = new int[1];
    AnswerRows rows = new AnswerRows(plan.model(), plan.pairs(), plan.sites(), this);
    job.progress(0, items);
    pipeline.run(
        job,
        rows.requests("rows"),
        (index, answer) -> {
          rows.take(index, answer);
          job.progress(++answers[0] / 2, items);
        });
    return result(job);
  }

  @Override
  public void rows(int item, Map<Site, float[]> matching, Map<Site, float[]> other) {
    LabelOrder order = LabelOrder.of(plan.pairs().get(item));
    builds.forEach((site, build) -> build.add(item, order, matching.get(site), other.get(site)));
  }

  @Override
  public void failed(int item, String reason) {
    ItemPair pair = plan.pairs().get(item);
    failed.put(item, new SkippedLine(pair.item().line(), pair.item().number(), reason));
  }

  private JobResult result(JobContext job) {
    List<SkippedLine> skipped = new ArrayList<>(plan.skipped());
    int used = 0;
    SiteBuild any = builds.get(plan.sites().get(0));
    for (int item = 0; item < plan.pairs().size(); item++) {
      ItemPair pair = plan.pairs().get(item);
      if (failed.containsKey(item)) {
        skipped.add(failed.get(item));
      } else if (any.uses(LabelOrder.of(pair))) {
        used++;
      } else {
        skipped.add(
            new SkippedLine(
                pair.item().line(), pair.item().number(), "the items of its reverse order failed"));
      }
    }
    if (used == 0) {
      throw RefusedException.invalid(
          JobKind.DATA, "no item is left to build from; %s".formatted(DataSet.quote(skipped)));
    }
    List<BuiltSite> sites = new ArrayList<>();
    List<Site> zero = new ArrayList<>();
    for (Site site : plan.sites()) {
      job.checkStopped(); // a fit may take minutes
      builds.get(site).build().ifPresentOrElse(sites::add, () -> zero.add(site));
    }
    if (sites.isEmpty()) {
      throw RefusedException.invalid(
          "layers",
          "the vector at %s is zero: the answers' rows do not differ there, or by their letters alone; choose later layers"
              .formatted(zero.get(0)));
    }
    BuildResult result = new BuildResult(plan, used, skipped, sites, warnings(sites, zero));
    if (!plan.publication().publish()) {
      return JobResult.of(result.json(null, List.of()));
    }
    VectorDraft draft = draft(job, used, sites);
    return JobResult.publishing(
        () -> changes.publish(plan.vector(), draft, Origin.http(job.actor())),
        change -> result.json(change.versions().get(0), change.warnings()));
  }

  private List<String> warnings(List<BuiltSite> sites, List<Site> zero) {
    List<String> warnings = new ArrayList<>();
    for (Site site : zero) {
      warnings.add(
          "%s is left out: the vector is zero there, because the answers' rows do not differ, or by their letters alone"
              .formatted(site));
    }
    for (BuiltSite built : sites) {
      if (built.labelShare() == null) {
        warnings.add(
            "at %s: no item has its reverse order, so that what the letters alone make cannot be told from the behaviour"
                .formatted(built.site()));
      } else if (built.labelShare() > MUCH_LABEL) {
        warnings.add(
            "at %s: labelShare is %.2f: much of the vector is the answers' letters, not the behaviour"
                .formatted(built.site(), built.labelShare()));
      }
    }
    if (plan.chosen().moreThanTwoChoices() > 0) {
      warnings.add(
          "%d items list more than two choices".formatted(plan.chosen().moreThanTwoChoices()));
    }
    return warnings;
  }

  private VectorDraft draft(JobContext job, int used, List<BuiltSite> sites) {
    BuildPlan.Publication publication = plan.publication();
    List<SiteDraft> drafts = new ArrayList<>();
    for (BuiltSite built : sites) {
      drafts.add(built.draft("sites[%d].".formatted(drafts.size())));
    }
    return new VectorDraft(
        plan.model().revision().isEmpty() ? null : plan.model().revision(),
        drafts,
        publication.operation(),
        publication.positions(),
        publication.preserveNorm(),
        new Provenance(
            plan.method().name(),
            plan.data().name(),
            plan.data().sha256(),
            used,
            plan.items(),
            "",
            plan.balance().name(),
            BuildResult.largestLabelShare(sites)),
        publication.author() == null ? job.actor() : publication.author(),
        publication.description() == null ? plan.description() : publication.description(),
        List.of(),
        publication.expectedVersion());
  }
}
