package io.lensflow.decoder.fit;

import io.lensflow.engine.lens.fit.PairedRows;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/**
 * Rows that are kept until the report, up to a limit in bytes. What comes later is left out: the
 * split is by a hash, so that the first rows are as good as any. Not thread-safe.
 */
final class KeptRows {
  private final long maxBytes;
  private final List<PairedRows> rows = new ArrayList<>();
  private final Set<String> requests = new HashSet<>();
  private long bytes;

  KeptRows(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /** Keeps a block if there is room. */
  void add(String requestId, PairedRows block) {
    long size =
        block.finalRows().remaining()
            + block.rows().values().stream().mapToLong(ByteBuffer::remaining).sum();
    if (bytes + size <= maxBytes) {
      bytes += size;
      rows.add(block);
      requests.add(requestId);
    }
  }

  /** Keeps the last rows of a block alone if there is room. */
  void addFinalRows(String requestId, PairedRows block) {
    add(requestId, new PairedRows(block.dtype(), block.n(), new TreeMap<>(), block.finalRows()));
  }

  List<PairedRows> rows() {
    return rows;
  }

  /** Of how many requests. */
  int requests() {
    return requests.size();
  }
}
