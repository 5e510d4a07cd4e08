package io.lensflow.engine.invariance;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.engine.DType;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.lens.HeadSummary;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Everything that a request got: rows, tokens, summaries and logits of the rows before them. */
final class Transcript {
  /** Where a row was taken. */
  record Place(HookPoint hookPoint, int layer, int position) {}

  private final int vocabularySize;
  private int begin;
  private final Map<Place, ByteBuffer> rows = new HashMap<>();
  private final Map<Integer, ByteBuffer> finalRows = new TreeMap<>();
  private final List<Integer> tokens = new ArrayList<>();
  private final List<HeadSummary> summaries = new ArrayList<>();
  private final Map<Integer, float[]> logits = new TreeMap<>();

  Transcript(int vocabularySize) {
    this.vocabularySize = vocabularySize;
  }

  /** Its first tokens were taken over from another sequence. */
  void beginsAt(int position) {
    begin = position;
  }

  /** How many tokens were taken over. */
  int begin() {
    return begin;
  }

  /** Takes in what a step gave whose last row is at position {@code last}. */
  void add(StepOutput output, int last) {
    for (CapturedRows captured : output.rows()) {
      split(captured)
          .forEach((place, row) -> assertThat(rows.put(place, row)).as("%s again", place).isNull());
    }
    if (output.finalRows() != null) {
      split(output.finalRows())
          .forEach(
              (place, row) ->
                  assertThat(finalRows.put(place.position(), row)).as("%s again", place).isNull());
    }
    int count = output.logits().length / vocabularySize;
    for (int i = 0; i < count; i++) {
      float[] row = new float[vocabularySize];
      System.arraycopy(output.logits(), i * vocabularySize, row, 0, vocabularySize);
      logits.put(last - count + 1 + i, row);
    }
  }

  /** Takes in a token that was chosen. */
  void add(int token, HeadSummary summary) {
    tokens.add(token);
    summaries.add(summary);
  }

  private static Map<Place, ByteBuffer> split(CapturedRows captured) {
    Map<Place, ByteBuffer> rows = new HashMap<>();
    int size = captured.hiddenSize() * captured.dtype().bytes();
    int at = 0;
    for (int layer : captured.layers()) {
      for (int position : captured.positions()) {
        ByteBuffer row = captured.payload().slice(at, size).order(ByteOrder.LITTLE_ENDIAN);
        rows.put(new Place(captured.hookPoint(), layer, position), row);
        at += size;
      }
    }
    assertThat(at).as("bytes of rows").isEqualTo(captured.payload().remaining());
    return rows;
  }

  Map<Place, ByteBuffer> rows() {
    return rows;
  }

  /** By position. */
  Map<Integer, ByteBuffer> finalRows() {
    return finalRows;
  }

  List<Integer> tokens() {
    return tokens;
  }

  /** Of the rows that the tokens were chosen from. */
  List<HeadSummary> summaries() {
    return summaries;
  }

  /** By position, of the rows whose logits left the device. */
  Map<Integer, float[]> logits() {
    return logits;
  }

  /** ‖a − b‖ ÷ ‖b‖ of two rows. */
  static double distance(ByteBuffer a, ByteBuffer b, DType dtype) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < b.remaining() / dtype.bytes(); i++) {
      double expected = value(b, i, dtype);
      double error = value(a, i, dtype) - expected;
      difference += error * error;
      norm += expected * expected;
    }
    return difference == 0 ? 0 : Math.sqrt(difference / norm);
  }

  private static double value(ByteBuffer row, int i, DType dtype) {
    return dtype == DType.FLOAT32
        ? row.getFloat(i * Float.BYTES)
        : Float.intBitsToFloat(row.getShort(i * Short.BYTES) << Short.SIZE);
  }
}
