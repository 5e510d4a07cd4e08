package io.lensflow.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.bench.capture.CaptureShare;
import io.lensflow.bench.checkpoint.RandomCheckpoint;
import io.lensflow.bench.checkpoint.Shape;
import io.lensflow.bench.classical.ClassicalSpeedup;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.limit.BandwidthShare;
import io.lensflow.bench.limit.PrefillShare;
import io.lensflow.bench.tensorparallel.RankSpeedShare;
import io.lensflow.bench.timing.Comparison;
import io.lensflow.engine.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every benchmark in this process, one round on a tiny model: that it measures, not what. */
class MeasurementTest {
  @TempDir static Path folder;

  @BeforeAll
  static void writeModel() throws IOException {
    new RandomCheckpoint(Shape.TINY, 1).write(folder);
  }

  static Stream<Benchmark> benchmarks() {
    return Stream.of(
        new CaptureShare(2),
        new BandwidthShare("bandwidth-share-b1-long", 1500),
        new PrefillShare(),
        new RankSpeedShare(Shape.TINY),
        new ClassicalSpeedup("classical-loop-speedup-bf16", DType.BFLOAT16, 35));
  }

  @ParameterizedTest
  @MethodSource("benchmarks")
  void shouldGiveAFindingForEachDefinition(Benchmark benchmark) throws Exception {
    List<Finding> findings =
        benchmark.measure(new Setting(folder, new Comparison(1), false, line -> {}));

    assertThat(findings).hasSameSizeAs(benchmark.definitions());
    for (int i = 0; i < findings.size(); i++) {
      Finding finding = findings.get(i);
      assertThat(finding.figure().name()).isEqualTo(benchmark.definitions().get(i).name());
      assertThat(finding.figure().samples())
          .singleElement()
          .satisfies(sample -> assertThat(sample).isPositive().isFinite());
      assertThat(finding.says()).doesNotContain("NaN", "Infinity").endsWith(".");
    }
  }
}
