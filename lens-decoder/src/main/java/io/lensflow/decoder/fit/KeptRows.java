package io.lensflow.decoder.fit;

import io.lensflow.engine.lens.fit.PairedRows;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToLongFunction;

/**
 * Rows that are kept until the report, up to a limit. What comes later is left out: the split is by
 * a hash, so that the first rows are as good as any. Not thread-safe.
 */
final class KeptRows {
  private final long limit;
  private final ToLongFunction<PairedRows> size;
  private final List<PairedRows> rows = new ArrayList<>();
  private final Set<String> requests = new HashSet<>();
  private long used;

  private KeptRows(long limit, ToLongFunction<PairedRows> size) {
    this.limit = limit;
    this.size = size;
  }

  /** Up to so many rows, counted over all layers. */
  static KeptRows upToRows(long rows) {
    return new KeptRows(rows, block -> (long) block.n() * block.rows().size());
  }

  /** Up to so many bytes of last rows; the layers' own count for nothing. */
  static KeptRows upToFinalBytes(long bytes) {
    return new KeptRows(bytes, block -> block.finalRows().remaining());
  }

  /** Keeps a block if there is room. */
  void add(String requestId, PairedRows block) {
    long more = size.applyAsLong(block);
    if (used + more <= limit) {
      used += more;
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
