package io.lensflow.bench;

import io.lensflow.bench.capture.CaptureShare;
import io.lensflow.bench.checkpoint.Shape;
import io.lensflow.bench.classical.ClassicalMemory;
import io.lensflow.bench.classical.ClassicalSpeedup;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.lane.BatchLaneShare;
import io.lensflow.bench.lens.LensBatching;
import io.lensflow.bench.lens.LensSpeed;
import io.lensflow.bench.limit.BandwidthShare;
import io.lensflow.bench.limit.LimitShare;
import io.lensflow.bench.limit.LinearShare;
import io.lensflow.bench.limit.PrefillShare;
import io.lensflow.bench.load.LoadFigures;
import io.lensflow.bench.pipeline.PipelineShare;
import io.lensflow.bench.steering.BuildGemmShare;
import io.lensflow.bench.steering.PublishToUse;
import io.lensflow.bench.steering.SteerManyShare;
import io.lensflow.bench.tensorparallel.RankSpeedShare;
import io.lensflow.engine.DType;
import java.util.List;

/** All benchmarks, in the order in which they run. Stateless. */
final class Suite {
  private static final int LARGE_BATCH = 16;
  private static final int SHORT = 100;
  private static final int LONG = 1500;
  private static final double SPEEDUP_FLOAT32 = 41;
  private static final double SPEEDUP_BFLOAT16 = 35;

  private static final List<Benchmark> ALL =
      List.of(
          new CaptureShare(1),
          new CaptureShare(LARGE_BATCH),
          new LinearShare(),
          new BandwidthShare("bandwidth-share-b1", SHORT),
          new BandwidthShare("bandwidth-share-b1-long", LONG),
          new LimitShare(),
          new PrefillShare(),
          new RankSpeedShare(Shape.TP_135M),
          new ClassicalSpeedup("classical-loop-speedup-f32", DType.FLOAT32, SPEEDUP_FLOAT32),
          new ClassicalSpeedup("classical-loop-speedup-bf16", DType.BFLOAT16, SPEEDUP_BFLOAT16),
          new ClassicalMemory(List.of(64, 128, 256)),
          new PipelineShare(),
          new SteerManyShare(),
          new PublishToUse(),
          new BuildGemmShare(),
          new BatchLaneShare(),
          new LensBatching(),
          new LensSpeed(),
          new LoadFigures());

  private Suite() {}

  static List<Benchmark> all() {
    return ALL;
  }

  /** Every figure that can be measured. */
  static List<Definition> definitions() {
    return ALL.stream().flatMap(benchmark -> benchmark.definitions().stream()).toList();
  }
}
