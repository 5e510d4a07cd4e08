package io.lensflow.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.checkpoint.CheckpointException;
import io.lensflow.engine.checkpoint.CheckpointFolder;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.steering.PreparedVector;
import io.lensflow.engine.steering.SteeringOperation;
import io.lensflow.engine.steering.SteeringSite;
import io.lensflow.text.spec.PositionSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Wrong use is an exception that says what is wrong, never a crash. */
class EngineLifecycleTest {
  @TempDir private Path folder;

  private Engine load() throws IOException {
    return EngineLoader.load(
        new CheckpointFolder(folder).write(), EngineOptions.defaults().withKvTokens(64));
  }

  private static Sequence open(Engine engine, CapturePlan plan, List<SteeringSite> steering) {
    return engine.open(new SequenceOptions(4, 8, plan, steering));
  }

  private static List<StepInput> input(Sequence sequence, int... ids) {
    return List.of(new StepInput(sequence, ids, Logits.LAST));
  }

  @Test
  void shouldThrowWhenUsedAfterClose() throws IOException {
    Engine engine = load();
    Sequence sequence = open(engine, CapturePlan.NONE, List.of());
    PreparedVector vector = engine.prepare(new float[16]);
    engine.close();
    engine.close();
    sequence.close();
    vector.close();
    vector.close();
    assertThatThrownBy(() -> engine.step(input(sequence, 1)))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> open(engine, CapturePlan.NONE, List.of()))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> engine.prepare(new float[16]))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> engine.step(List.of())).isInstanceOf(IllegalStateException.class);
    // What describes an engine, a sequence or a vector needs no native memory.
    assertThat(engine.config().hiddenSize()).isEqualTo(16);
    assertThat(engine.ranks()).hasSize(1);
    assertThat(engine.revision()).isNotBlank();
    assertThat(engine.device()).isEqualTo("cpu");
    assertThat(engine.maxContext()).isEqualTo(64);
    assertThat(sequence.length()).isZero();
    assertThat(sequence.promptLength()).isEqualTo(4);
    assertThat(vector.length()).isEqualTo(16);
    assertThat(vector.norm()).isZero();
    assertThatThrownBy(() -> engine.tokenizer().encode("w1"))
        .isInstanceOf(IllegalStateException.class);
    LensHead lens = LensHead.load(folder, LensHeadOptions.defaults());
    lens.close();
    lens.close();
    assertThatThrownBy(
            () ->
                lens.decode(
                    LensBatch.of(ByteBuffer.allocate(64), DType.FLOAT32, 1),
                    LensMetrics.summary(1)))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void shouldRefuseAStepAndLeaveNoTraceWhenAnInputIsWrong() throws IOException {
    try (Engine engine = load();
        Engine other = load();
        Sequence sequence = open(engine, CapturePlan.NONE, List.of());
        Sequence foreign = open(other, CapturePlan.NONE, List.of())) {
      assertThatThrownBy(() -> engine.step(input(sequence))).hasMessageContaining("0 tokens");
      assertThatThrownBy(() -> engine.step(input(sequence, new int[9])))
          .hasMessageContaining("room for 8 more");
      assertThatThrownBy(() -> engine.step(input(sequence, 48)))
          .hasMessageContaining("token id 48 is not of this model's vocabulary, 0 … 47");
      assertThatThrownBy(() -> engine.step(input(foreign, 1)))
          .hasMessageContaining("another engine");
      assertThatThrownBy(
              () ->
                  engine.step(
                      List.of(
                          new StepInput(sequence, new int[] {1}, Logits.NONE),
                          new StepInput(sequence, new int[] {1}, Logits.NONE))))
          .hasMessageContaining("twice");
      assertThat(sequence.length()).isZero();
      assertThat(engine.step(List.of())).isEmpty();
      Sequence closed = open(engine, CapturePlan.NONE, List.of());
      closed.close();
      assertThatThrownBy(() -> engine.step(input(closed, 1)))
          .isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void shouldRefuseAStepAndLeaveNoTraceWhenASteeringVectorIsClosed() throws IOException {
    try (Engine engine = load()) {
      PreparedVector vector = engine.prepare(new float[16]);
      Sequence plain = open(engine, CapturePlan.NONE, List.of());
      Sequence steered = open(engine, CapturePlan.NONE, List.of(site(vector, 1, 1)));
      vector.close();
      assertThatThrownBy(
              () ->
                  engine.step(
                      List.of(
                          new StepInput(plain, new int[] {1, 2}, Logits.NONE),
                          new StepInput(steered, new int[] {1, 2}, Logits.NONE))))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("steering[0]: the vector is closed");
      assertThat(plain.length()).isZero();
      assertThat(steered.length()).isZero();
      assertThatThrownBy(() -> open(engine, CapturePlan.NONE, List.of(site(vector, 1, 1))))
          .hasMessage("steering[0]: the vector is closed");
      engine.step(input(plain, 1));
      assertThat(plain.length()).isEqualTo(1);
    }
  }

  @Test
  void shouldNameTheOptionWhenStagingHoldsNotEvenTheFewestRows() throws IOException {
    CapturePlan plan =
        new CapturePlan(List.of(HookPoint.MLP_INPUT), List.of(0, 1), PositionSpec.ALL, false);
    Path checkpoint = new CheckpointFolder(folder).write();
    EngineOptions options = EngineOptions.defaults().withKvTokens(64);
    try (Engine engine = EngineLoader.load(checkpoint, options.withStagingBytes(127))) {
      assertThatThrownBy(() -> open(engine, plan, List.of()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "stagingBytes is 127; this capture needs at least 128, for 2 places and passes of 1 rows");
      open(engine, CapturePlan.NONE, List.of()).close();
    }
    try (Engine engine =
        EngineLoader.load(checkpoint, options.withStagingBytes(2047).withDeterministic(true))) {
      assertThatThrownBy(() -> open(engine, plan, List.of()))
          .hasMessage(
              "stagingBytes is 2047; this capture needs at least 2048, for 2 places and passes of 16 rows");
    }
  }

  @Test
  void shouldNameTheFaultWhenASequenceDoesNotFitTheModel() throws IOException {
    try (Engine engine = load();
        PreparedVector vector = engine.prepare(new float[16])) {
      assertThatThrownBy(() -> engine.open(new SequenceOptions(1, 65, CapturePlan.NONE, List.of())))
          .hasMessageContaining("maxLength is 65")
          .hasMessageContaining("context of 64");
      CapturePlan plan =
          new CapturePlan(List.of(HookPoint.MLP_INPUT), List.of(2), PositionSpec.ALL, false);
      assertThatThrownBy(() -> open(engine, plan, List.of()))
          .hasMessageContaining("there is no layer 2; this model has layers 0 … 1");
      assertThatThrownBy(() -> open(engine, CapturePlan.NONE, List.of(site(vector, 7, 1))))
          .hasMessageContaining("steering[0]: there is no layer 7");
      assertThatThrownBy(() -> open(engine, CapturePlan.NONE, List.of(site(vector, 0, Float.NaN))))
          .hasMessageContaining("multiplier is NaN");
      SteeringSite directionless =
          new SteeringSite(
              vector, 0, HookPoint.MLP_INPUT, SteeringOperation.ABLATE, 1, PositionSpec.ALL, false);
      assertThatThrownBy(() -> open(engine, CapturePlan.NONE, List.of(directionless)))
          .hasMessageContaining("ABLATE needs a direction");
      assertThatThrownBy(() -> engine.prepare(new float[15]))
          .hasMessageContaining("15 values; this model's hidden size is 16");
      float[] infinite = new float[16];
      infinite[3] = Float.POSITIVE_INFINITY;
      assertThatThrownBy(() -> engine.prepare(infinite))
          .hasMessageContaining("value 3 is Infinity");
    }
  }

  private static SteeringSite site(PreparedVector vector, int layer, float multiplier) {
    return new SteeringSite(
        vector,
        layer,
        HookPoint.ATTENTION_INPUT,
        SteeringOperation.ADD,
        multiplier,
        PositionSpec.ALL,
        false);
  }

  @Test
  void shouldTellRevisionsApartWhenConfigurationsDiffer() throws IOException {
    String first;
    try (Engine engine = load()) {
      first = engine.revision();
      assertThat(engine.dtype()).isEqualTo(DType.FLOAT32);
      assertThat(engine.maxContext()).isEqualTo(64);
    }
    CheckpointFolder changed = new CheckpointFolder(folder);
    changed.config().put("rope_theta", 20000.0);
    changed.write();
    try (LensHead lens = LensHead.load(folder, LensHeadOptions.defaults())) {
      assertThat(lens.revision()).hasSize(32).isNotEqualTo(first);
    }
  }

  @Test
  void shouldNameTheFolderWhenItIsNoCheckpoint() {
    assertThatThrownBy(() -> EngineLoader.load(folder, EngineOptions.defaults()))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(folder.toString())
        .hasMessageContaining("no config.json");
  }
}
