package io.lensflow.engine.lens.fit;

import io.lensflow.engine.DType;
import java.nio.ByteBuffer;
import java.util.SortedMap;

/**
 * Rows of several layers at the same n positions, and the model's last rows there. Buffers are
 * little-endian and are not moved by readers.
 *
 * @param dtype element type of all of them
 * @param n how many positions
 * @param rows by layer, each [n, D]
 * @param finalRows [n, D], untranslated {@code RESIDUAL_POST} of layer L−1
 */
public record PairedRows(
    DType dtype, int n, SortedMap<Integer, ByteBuffer> rows, ByteBuffer finalRows) {}
