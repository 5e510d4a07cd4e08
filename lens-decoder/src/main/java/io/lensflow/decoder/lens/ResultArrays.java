package io.lensflow.decoder.lens;

import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.records.LensResult;
import io.lensflow.records.ProjectionMetrics;
import io.lensflow.records.TargetMetrics;
import java.util.ArrayList;
import java.util.List;

/** The per-row arrays of one result, filled row by row. What was not asked for stays null. */
final class ResultArrays {
  private final TokenTexts texts;
  private final LensMetrics metrics;
  private final LensTable table;
  private final List<Integer> topIds;
  private final List<String> topTexts;
  private final List<Float> topLogits;
  private final List<Float> topProbabilities;
  private final List<Float> entropy;
  private final List<Float> logSumExp;
  private final List<Float> kl;
  private final List<Float> js;
  private final TargetMetrics targets;
  private final List<ProjectionMetrics> projections;

  ResultArrays(TokenTexts texts, LensPlan plan, LensTable table, int rows) {
    this.texts = texts;
    this.metrics = plan.metrics();
    this.table = table;
    int tokens = rows * metrics.topK();
    topIds = new ArrayList<>(tokens);
    topTexts = new ArrayList<>(tokens);
    topLogits = new ArrayList<>(tokens);
    topProbabilities = new ArrayList<>(tokens);
    entropy = metrics.entropy() ? new ArrayList<>(rows) : null;
    logSumExp = metrics.logSumExp() ? new ArrayList<>(rows) : null;
    kl = metrics.kl() ? new ArrayList<>(rows) : null;
    js = metrics.js() ? new ArrayList<>(rows) : null;
    int perRow = metrics.targetsPerRow();
    targets = perRow == 0 ? null : targets(perRow, rows);
    projections =
        plan.vectors().isEmpty()
            ? null
            : plan.vectors().stream()
                .map(v -> new ProjectionMetrics(v, new ArrayList<>(rows), new ArrayList<>(rows)))
                .toList();
  }

  private static TargetMetrics targets(int perRow, int rows) {
    int all = rows * perRow;
    TargetMetrics targets = new TargetMetrics();
    targets.setTargetsPerRow(perRow);
    targets.setIds(new ArrayList<>(all));
    targets.setTexts(new ArrayList<>(all));
    targets.setLogits(new ArrayList<>(all));
    targets.setLogProbabilities(new ArrayList<>(all));
    targets.setRanks(new ArrayList<>(all));
    return targets;
  }

  /** Adds what the table says about a row. */
  void add(int row) {
    for (int rank = 0; rank < metrics.topK(); rank++) {
      int id = table.topId(row, rank);
      topIds.add(id);
      topTexts.add(texts.of(id));
      topLogits.add(table.topLogit(row, rank));
      topProbabilities.add(table.topProbability(row, rank));
    }
    if (entropy != null) {
      entropy.add(table.entropy(row));
    }
    if (logSumExp != null) {
      logSumExp.add(table.logSumExp(row));
    }
    if (kl != null) {
      kl.add(table.kl(row));
    }
    if (js != null) {
      js.add(table.js(row));
    }
    for (int i = 0; i < metrics.targetsPerRow(); i++) {
      int id = table.targetId(row, i);
      targets.getIds().add(id);
      targets.getTexts().add(id < 0 ? "" : texts.of(id));
      targets.getLogits().add(table.targetLogit(row, i));
      targets.getLogProbabilities().add(table.targetLogProbability(row, i));
      targets.getRanks().add(table.targetRank(row, i));
    }
    for (int i = 0; projections != null && i < projections.size(); i++) {
      projections.get(i).getDots().add(table.projections().get(i).dots()[row]);
      projections.get(i).getCosines().add(table.projections().get(i).cosines()[row]);
    }
  }

  void writeTo(LensResult result) {
    result.setTopIds(topIds);
    result.setTopTexts(topTexts);
    result.setTopLogits(topLogits);
    result.setTopProbabilities(topProbabilities);
    result.setEntropy(entropy);
    result.setLogSumExp(logSumExp);
    result.setKl(kl);
    result.setJs(js);
    result.setTargets(targets);
    result.setProjections(projections);
  }
}
