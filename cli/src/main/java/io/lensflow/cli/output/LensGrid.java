package io.lensflow.cli.output;

import io.lensflow.client.follow.LensRow;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensResult;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What one lens says at one hook point of one request, by layer and position. Filled result by
 * result. Not thread-safe.
 */
public final class LensGrid {
  /** Which grid a result belongs to. */
  public record Key(String lens, HookPoint hookPoint) {
    /** Of a result. */
    public static Key of(LensResult result) {
      return new Key(result.getLens(), result.getHookPoint());
    }
  }

  private final TreeMap<Integer, Map<Integer, LensRow>> byLayer = new TreeMap<>();
  private final TreeMap<Integer, String> tokens = new TreeMap<>();
  private final TreeMap<Integer, Integer> tokenIds = new TreeMap<>();

  /** Adds the rows of a result. */
  public void add(LensResult result) {
    for (LensRow row : LensRow.of(result)) {
      byLayer.computeIfAbsent(row.layer(), layer -> new TreeMap<>()).put(row.position(), row);
      tokens.put(row.position(), row.tokenText());
      tokenIds.put(row.position(), row.tokenId());
    }
  }

  /** A grid of results. */
  public static LensGrid of(Collection<LensResult> results) {
    LensGrid grid = new LensGrid();
    results.forEach(grid::add);
    return grid;
  }

  /** Layers, ascending. */
  public Set<Integer> layers() {
    return byLayer.navigableKeySet();
  }

  /** Positions, ascending. */
  public Set<Integer> positions() {
    return tokens.navigableKeySet();
  }

  /** Text of the token at a position. */
  String token(int position) {
    return tokens.get(position);
  }

  /** The row, or null where it was not captured or not decoded yet. */
  public LensRow row(int layer, int position) {
    return byLayer.getOrDefault(layer, Map.of()).get(position);
  }

  /** Whether a row's first candidate is the token that really came next, where that is known. */
  boolean isRight(LensRow row) {
    Integer next = tokenIds.get(row.position() + 1);
    return next != null && !row.top().isEmpty() && row.top().get(0).id() == next;
  }
}
