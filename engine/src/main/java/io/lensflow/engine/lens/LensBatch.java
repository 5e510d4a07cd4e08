package io.lensflow.engine.lens;

import io.lensflow.engine.DType;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * N rows to decode, and what belongs to each. Made from {@link #of}, then extended. Neither buffers
 * nor arrays are copied or changed; positions are not moved.
 *
 * @param rows [N, D] from the buffer's position on, little-endian
 * @param dtype element type of {@code rows} and {@code finalRows}
 * @param n N
 * @param layers [N], whose layer each row is; chooses the translator's matrix; null where none is
 *     used
 * @param targets [N, T] token ids, −1 for none; null if none
 * @param finalRows [M, D], untranslated {@code RESIDUAL_POST} of layer L−1; null where not needed
 * @param finalRowOf [N], which of {@code finalRows} is the model's own of this row's position; null
 *     with {@code finalRows}
 * @param frozenNorm whether the final norm's scale is taken from the row's final row instead of the
 *     row itself ({@code normScale: final}), so that contributions add up to the logits
 */
public record LensBatch(
    ByteBuffer rows,
    DType dtype,
    int n,
    int[] layers,
    int[] targets,
    ByteBuffer finalRows,
    int[] finalRowOf,
    boolean frozenNorm) {
  public LensBatch {
    Objects.requireNonNull(rows, "rows");
    Objects.requireNonNull(dtype, "dtype");
  }

  /** Rows alone. */
  public static LensBatch of(ByteBuffer rows, DType dtype, int n) {
    return new LensBatch(rows, dtype, n, null, null, null, null, false);
  }

  /** With the layer of each row. */
  public LensBatch withLayers(int... layers) {
    return new LensBatch(rows, dtype, n, layers, targets, finalRows, finalRowOf, frozenNorm);
  }

  /** With the tokens that are asked for, [N, T]. */
  public LensBatch withTargets(int... targets) {
    return new LensBatch(rows, dtype, n, layers, targets, finalRows, finalRowOf, frozenNorm);
  }

  /** With the model's own rows [M, D], and which of them belongs to each row. */
  public LensBatch withFinalRows(ByteBuffer finalRows, int... finalRowOf) {
    return new LensBatch(rows, dtype, n, layers, targets, finalRows, finalRowOf, frozenNorm);
  }

  /** With the final norm's scale frozen at the row's final row. */
  public LensBatch withFrozenNorm() {
    return new LensBatch(rows, dtype, n, layers, targets, finalRows, finalRowOf, true);
  }
}
