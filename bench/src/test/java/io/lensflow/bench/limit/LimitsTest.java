package io.lensflow.bench.limit;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.bench.checkpoint.RandomCheckpoint;
import io.lensflow.bench.checkpoint.Shape;
import io.lensflow.engine.DType;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.model.RopeConfig;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LimitsTest {
  /** SmolLM2-135M: 134.5 million parameters, of which 35 thousand are norms. */
  private static final ModelConfig SMOLLM2 =
      new ModelConfig(
          "LlamaForCausalLM",
          30,
          576,
          9,
          3,
          64,
          1536,
          49_152,
          8192,
          1e-5,
          new RopeConfig(1e5, null),
          true,
          Set.of());

  @TempDir Path folder;

  @Test
  void shouldCountWhatAStepReadsAndDoes() {
    WorkSize size = new WorkSize(SMOLLM2, DType.BFLOAT16);

    assertThat(size.weightBytes()).isEqualTo(2 * (134_515_008L - 61 * 576));
    assertThat(size.keyValueBytes(100)).isEqualTo(100L * 2 * 30 * 3 * 64 * 2);
    assertThat(size.linearOperations(1, 1)).isEqualTo(size.weightBytes());
    assertThat(size.linearOperations(16, 1))
        .isEqualTo(2.0 * (16 * 30 * size.layerParameters() + 49_152L * 576));
    assertThat(size.largestTensorBytes()).isEqualTo(2 * 49_152L * 576);
  }

  @Test
  void shouldRunAModelsLinearsForAnyNumberOfRows() throws Exception {
    new RandomCheckpoint(Shape.TINY, 1).write(folder);
    for (DType dtype : new DType[] {DType.FLOAT32, DType.BFLOAT16}) {
      try (LinearsAlone linears = LinearsAlone.load(folder, dtype, 1);
          LinearsAlone.Pass one = linears.pass(1, 1);
          LinearsAlone.Pass many = linears.pass(33, 2)) {
        one.run();
        many.run();
      }
    }
  }

  @Test
  void shouldReadAsManyBytesAsAsked() {
    try (MemoryReading memory = new MemoryReading(4097, 1)) {
      memory.run();
      assertThat(memory.bytes()).isEqualTo(4096);
    }
  }
}
