package io.lensflow.decoder.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.decoder.TestChunks;
import io.lensflow.decoder.TestModel;
import io.lensflow.decoder.lens.LensRefusal;
import io.lensflow.decoder.lens.LensSource;
import io.lensflow.decoder.lens.LensTable;
import io.lensflow.decoder.vector.VectorProjector;
import io.lensflow.decoder.vector.VectorSource;
import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.NormScale;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Plans, and what comes out of them: a batch is decoded here as the kernel thread does it. */
class WorkPlannerTest {
  private static final VectorSource VECTORS =
      name ->
          (hookPoint, layer) ->
              hookPoint == HookPoint.RESIDUAL_POST && layer == 1 ? new float[] {0, 0, 1, 0} : null;

  private final WorkPlanner planner = planner(LensAccuracy.FAST);
  private final TestModel model = new TestModel();

  @Test
  void shouldComputeWhatIsChosenAndNothingElse() {
    LensRequest lens = lens(LensMetric.ENTROPY);
    LensTable table = decode(plan(TestChunks.chunk("a", 0, 0, 1), lens));

    assertThat(model.asked())
        .containsExactly(new LensMetrics(0, true, false, 0, false, false, LensAccuracy.FAST));
    assertThat(table.k()).isZero();
    assertThat(table.targetsPerRow()).isZero();
    assertThat(table.entropy(0)).isPositive();
  }

  @Test
  void shouldTellTheTokenThatCameNextAndThenThoseThatAreNamed() {
    LensRequest lens = lens(LensMetric.TARGETS);
    lens.setTargetIds(List.of(0, 3));
    ActivationChunk chunk = TestChunks.chunk("a", 0, 4, 5);
    chunk.setNextTokenIds(Arrays.asList(1, null));

    LensTable table = decode(plan(chunk, lens));

    assertThat(table.targetsPerRow()).isEqualTo(3);
    // Row 2: layer 1, position 4; its logits are 2, 3, 0, 1 and 0.002 each.
    assertThat(List.of(table.targetId(2, 0), table.targetId(2, 1), table.targetId(2, 2)))
        .containsExactly(1, 0, 3);
    assertThat(List.of(table.targetRank(2, 0), table.targetRank(2, 1), table.targetRank(2, 2)))
        .containsExactly(1, 2, 3);
    assertThat(table.targetLogit(2, 1)).isEqualTo(2.002f);
    assertThat(table.targetLogProbability(2, 1))
        .isEqualTo(2.002f - TestModel.logSumExp(TestChunks.logits(2)));
    assertThat(table.targetId(3, 0)).isEqualTo(-1);
    assertThat(table.targetRank(3, 0)).isZero();
    assertThat(table.targetLogit(3, 0)).isNaN();
  }

  @Test
  void shouldCompareWithTheModelsOwnRowOfTheSamePosition() {
    LensRequest lens = lens(LensMetric.KL, LensMetric.JS);

    LensTable table = decode(plan(TestChunks.chunk("a", 0, 4, 5), lens));

    assertThat(table.kl(4)).as("layer L−1 is the model").isZero();
    assertThat(table.js(5)).isZero();
    // Layer 0, position 5 is row 1; the model's own row there is row 5, which has the same logits.
    assertThat(table.kl(1)).isCloseTo(0, within(1e-6f));
    // Layer 1, position 4 is row 2, the model's own is row 4.
    assertThat(table.kl(2)).isGreaterThan(0.5f);
    assertThat(table.js(2)).isBetween(0.1f, (float) Math.log(2));
    assertThat(model.asked().get(0).path()).isEqualTo(LensAccuracy.EXACT);
  }

  @Test
  void shouldTakeTheFinalRowWhenThePayloadDoesNotHoldIt() {
    ActivationChunk chunk = TestChunks.chunk("a", 0, 4);
    chunk.setHookPoint(HookPoint.MLP_OUTPUT);
    TestChunks.withFinalRow(chunk, TestChunks.logits(1));

    LensTable table = decode(plan(chunk, lens(LensMetric.KL)));

    assertThat(table.kl(1)).isZero();
    assertThat(table.kl(2)).isPositive();
  }

  @Test
  void shouldRefuseTheLensAloneWhenTheModelsOwnRowIsMissing() {
    ActivationChunk chunk = TestChunks.chunk("a", 0, 4);
    chunk.setHookPoint(HookPoint.MLP_OUTPUT);
    LensRequest frozen = TestChunks.lens("logit", 1);
    frozen.setNormScale(NormScale.FINAL);
    chunk.setLenses(List.of(frozen));

    LensOrders orders = planner.plan(chunk, () -> false);

    assertThat(orders.works()).isEmpty();
    assertThat(orders.refusals())
        .singleElement()
        .satisfies(
            refusal -> {
              assertThat(refusal.failure().getCode()).isEqualTo(LensRefusal.NO_FINAL_ROW);
              assertThat(refusal.failure().getField()).isEqualTo("finalRow");
              assertThat(refusal.deadLetter()).isTrue();
            });
  }

  @Test
  void shouldDecodeTheLastLayerExactlyWhenItIsComparedWithAFloat32Head() {
    ActivationChunk chunk = TestChunks.withModelSummaries(TestChunks.chunk("a", 0, 4, 5));

    LensWork work = plan(chunk, lens(LensMetric.ENTROPY));
    LensTable table = decode(work);

    assertThat(work.parts())
        .extracting(
            LensWork.Part::from, LensWork.Part::to, part -> part.lane().metrics().accuracy())
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(0, 4, LensAccuracy.FAST),
            org.assertj.core.groups.Tuple.tuple(4, 6, LensAccuracy.EXACT));
    assertThat(table.topId(4, 0)).isEqualTo(3);
    assertThat(table.logSumExp(4)).isEqualTo(TestModel.logSumExp(TestChunks.logits(4)));
    assertThat(work.plan().metrics().topK()).as("what is reported").isZero();
  }

  @Test
  void shouldShareOneLaneWhenTheHeadHasNoFastPath() {
    ActivationChunk chunk = TestChunks.withModelSummaries(TestChunks.chunk("a", 0, 4, 5));
    chunk.setLenses(List.of(TestChunks.lens("logit", 2)));

    LensWork work = planner(LensAccuracy.EXACT).plan(chunk, () -> false).works().get(0);

    assertThat(work.parts().stream().map(LensWork.Part::lane).distinct()).hasSize(1);
    assertThat(work.plan().metrics().path()).isEqualTo(LensAccuracy.EXACT);
  }

  @Test
  void shouldProjectWithoutTheHead() {
    LensRequest lens = lens(LensMetric.PROJECTIONS);
    lens.setProjections(List.of("calm@1"));

    LensWork work = plan(TestChunks.chunk("a", 0, 4), lens);

    assertThat(work.isDone()).isTrue();
    assertThat(work.parts()).isEmpty();
    float[] row = TestChunks.logits(1);
    double norm = Math.sqrt(row[0] * row[0] + row[1] * row[1] + row[2] * row[2] + row[3] * row[3]);
    assertThat(work.table().projections().get(0).dots()[1]).isEqualTo(row[2]);
    assertThat(work.table().projections().get(0).cosines()[1])
        .isCloseTo((float) (row[2] / norm), within(1e-6f));
    assertThat(work.table().projections().get(0).dots()[0]).as("no site at layer 0").isNaN();
  }

  @Test
  void shouldNameTheVectorWhenItIsNotKnown() {
    LensRequest lens = lens(LensMetric.PROJECTIONS);
    lens.setProjections(List.of("calm@1"));
    ActivationChunk chunk = TestChunks.chunk("a", 0, 4);
    chunk.setLenses(List.of(lens));

    LensOrders orders = TestChunks.planner().plan(chunk, () -> false);

    assertThat(orders.works()).isEmpty();
    assertThat(orders.refusals().get(0).failure().getMessage()).contains("calm@1");
    assertThat(orders.refusals().get(0).deadLetter()).isFalse();
  }

  private static WorkPlanner planner(LensAccuracy fastest) {
    return new WorkPlanner(
        TestChunks.checkpoint(),
        fastest,
        LensSource.LOGIT_ONLY,
        new VectorProjector(VECTORS, TestModel.SIZE));
  }

  private static LensRequest lens(LensMetric... metrics) {
    LensRequest lens = TestChunks.lens("logit", 1);
    lens.setMetrics(List.of(metrics));
    return lens;
  }

  private LensWork plan(ActivationChunk chunk, LensRequest lens) {
    chunk.setLenses(List.of(lens));
    LensOrders orders = planner.plan(chunk, () -> false);
    assertThat(orders.refusals()).isEmpty();
    return orders.works().get(0);
  }

  private LensTable decode(LensWork work) {
    RowBatcher batcher = new RowBatcher(64, Duration.ZERO);
    BatchBuffers buffers = new BatchBuffers(64, TestModel.SIZE);
    batcher.add(work, 0);
    for (Optional<RowBatch> b = batcher.poll(0); b.isPresent(); b = batcher.poll(0)) {
      RowBatch batch = b.get();
      LensMetrics metrics = RowBatch.metrics(batch.lane(), batch.segments());
      int from = 0;
      for (RowSegment segment : batch.segments()) {
        work.table()
            .fill(
                segment.from(),
                model.decode(
                    buffers.gather(batch.lane(), batch.segments(), metrics), metrics, null),
                from,
                segment.count());
        from += segment.count();
      }
      batch.settle();
    }
    assertThat(work.isDone()).isTrue();
    return work.table();
  }
}
