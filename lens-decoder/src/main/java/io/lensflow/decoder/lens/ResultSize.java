package io.lensflow.decoder.lens;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.AppliedSteering;
import java.util.Map;

/** Upper bounds of what parts of a result take in Avro, without writing them. Stateless. */
final class ResultSize {
  /** Most bytes of a 32-bit number, and of a block's or string's length. */
  static final int VARINT_BYTES = 5;

  /** Fixed fields: ids, counts, times, names of unions, beginnings and ends of arrays. */
  private static final int FIXED_BYTES = 384;

  private ResultSize() {}

  /** Everything that does not grow with the rows. */
  static long head(ActivationChunk chunk, LensPlan plan) {
    long bytes = FIXED_BYTES;
    for (AppliedSteering applied : chunk.getSteering()) {
      bytes += 64 + text(applied.toString());
    }
    bytes += text(chunk.getModel()) + text(chunk.getRevision()) + text(plan.name());
    for (Map.Entry<String, String> label : chunk.getLabels().entrySet()) {
      bytes += text(label.getKey()) + text(label.getValue());
    }
    for (String vector : plan.vectors()) {
      bytes += text(vector) + 4 * VARINT_BYTES;
    }
    return bytes;
  }

  /** One row of all arrays. */
  static long row(TokenTexts texts, LensPlan plan, LensTable table, int row) {
    // Entropy, logSumExp, KL and JS, whether they are there or not.
    long bytes = 4 * Float.BYTES;
    for (int rank = 0; rank < plan.metrics().topK(); rank++) {
      bytes += VARINT_BYTES + 2 * Float.BYTES + text(texts.of(table.topId(row, rank)));
    }
    for (int target = 0; target < plan.metrics().targetsPerRow(); target++) {
      bytes += 2 * VARINT_BYTES + 2 * Float.BYTES + text(texts, table.targetId(row, target));
    }
    return bytes + 2L * Float.BYTES * plan.vectors().size();
  }

  private static int text(TokenTexts texts, int id) {
    return id < 0 ? 1 : text(texts.of(id));
  }

  /** Most bytes that a string takes: UTF-8 has at most 3 per UTF-16 unit. */
  static int text(String value) {
    int bytes = VARINT_BYTES;
    for (int i = 0; i < value.length(); i++) {
      bytes += value.charAt(i) < 0x80 ? 1 : 3;
    }
    return bytes;
  }
}
