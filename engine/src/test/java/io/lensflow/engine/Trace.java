package io.lensflow.engine;

import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.steering.SteeringSite;
import io.lensflow.text.spec.PositionSpec;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Everything that passes while given tokens run through an engine: for comparisons in tests. */
public final class Trace {
  private final int hiddenSize;
  private final int vocabularySize;
  private final int length;
  private final Map<HookPoint, float[][][]> rows = new EnumMap<>(HookPoint.class);
  private final float[][] logits;

  /** An empty trace of N = {@code length} rows. */
  public Trace(Engine engine, int length) {
    this.hiddenSize = engine.config().hiddenSize();
    this.vocabularySize = engine.config().vocabularySize();
    this.length = length;
    this.logits = new float[length][];
    for (HookPoint point : HookPoint.values()) {
      rows.put(point, new float[engine.config().layers()][length][]);
    }
  }

  /** A plan that sets everything aside. */
  public static CapturePlan everything(Engine engine) {
    List<Integer> layers = IntStream.range(0, engine.config().layers()).boxed().toList();
    return new CapturePlan(List.of(HookPoint.values()), layers, PositionSpec.ALL, true);
  }

  /**
   * Feeds a prompt in chunks, then the tokens after it one by one.
   *
   * @param ids prompt and following tokens
   */
  public static Trace of(
      Engine engine, int[] ids, int promptLength, int chunk, List<SteeringSite> steering) {
    Trace trace = new Trace(engine, ids.length);
    try (Sequence sequence =
        engine.open(new SequenceOptions(promptLength, ids.length, everything(engine), steering))) {
      while (sequence.length() < ids.length) {
        int at = sequence.length();
        int end = at < promptLength ? Math.min(promptLength, at + chunk) : at + 1;
        int[] next = Arrays.copyOfRange(ids, at, end);
        trace.add(engine.step(List.of(new StepInput(sequence, next, Logits.ALL))).get(0), at);
      }
    }
    return trace;
  }

  /** Takes in a step's output, whose first row is at position {@code first}. */
  public void add(StepOutput output, int first) {
    int count = output.logits().length / vocabularySize;
    for (int i = 0; i < count; i++) {
      logits[first + i] =
          Arrays.copyOfRange(output.logits(), i * vocabularySize, (i + 1) * vocabularySize);
    }
    for (CapturedRows captured : output.rows()) {
      ByteBuffer payload = captured.payload().duplicate().order(captured.payload().order());
      for (int layer : captured.layers()) {
        for (int position : captured.positions()) {
          rows.get(captured.hookPoint())[layer][position] = row(payload, captured.dtype());
        }
      }
    }
  }

  private float[] row(ByteBuffer payload, DType dtype) {
    float[] row = new float[hiddenSize];
    for (int i = 0; i < hiddenSize; i++) {
      row[i] =
          dtype == DType.FLOAT32
              ? payload.getFloat()
              : Float.intBitsToFloat(payload.getShort() << Short.SIZE);
    }
    return row;
  }

  /** N. */
  public int length() {
    return length;
  }

  /** One captured row [D]. */
  public float[] row(HookPoint point, int layer, int position) {
    return rows.get(point)[layer][position];
  }

  /** Logits [V] of a row. */
  public float[] logits(int position) {
    return logits[position];
  }

  /** The greatest distance of a row to another trace's, as a share of the row's norm. */
  public double distance(Trace other) {
    double worst = 0;
    for (HookPoint point : HookPoint.values()) {
      float[][][] layers = rows.get(point);
      for (int layer = 0; layer < layers.length; layer++) {
        for (int position = 0; position < length; position++) {
          worst =
              Math.max(
                  worst,
                  distance(row(point, layer, position), other.row(point, layer, position), 0));
        }
      }
    }
    return worst;
  }

  /** ‖a − b‖ ÷ ‖b‖, where b begins at {@code offset}. */
  public static double distance(float[] a, float[] b, int offset) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < a.length; i++) {
      double expected = b[offset + i];
      difference += (a[i] - expected) * (a[i] - expected);
      norm += expected * expected;
    }
    return Math.sqrt(difference / norm);
  }
}
