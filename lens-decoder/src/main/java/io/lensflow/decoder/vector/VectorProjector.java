package io.lensflow.decoder.vector;

import io.lensflow.decoder.chunk.ChunkRows;
import io.lensflow.decoder.lens.Projection;
import io.lensflow.records.HookPoint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Projects rows onto steering vectors, in float64 on the host: N·D products a vector, which is
 * nothing beside the head's N·D·V. Not thread-safe: the loop owns it.
 */
public final class VectorProjector {
  private final VectorSource vectors;
  private final float[] row;

  /**
   * @param vectors where they come from
   * @param hiddenSize D
   */
  public VectorProjector(VectorSource vectors, int hiddenSize) {
    this.vectors = vectors;
    this.row = new float[hiddenSize];
  }

  /**
   * Projects all rows of a chunk onto each of some vectors.
   *
   * @param names NAME@VERSION each
   * @return one for each name, in their order
   * @throws UnknownVectorException for the first that is not known here
   */
  public List<Projection> project(ChunkRows rows, List<String> names)
      throws UnknownVectorException {
    if (names.isEmpty()) {
      return List.of();
    }
    List<VectorSource.Sites> sites = new ArrayList<>(names.size());
    List<Projection> projections = new ArrayList<>(names.size());
    for (String name : names) {
      sites.add(vectors.sites(name));
      float[] dots = new float[rows.count()];
      float[] cosines = new float[rows.count()];
      Arrays.fill(dots, Float.NaN);
      Arrays.fill(cosines, Float.NaN);
      projections.add(new Projection(name, dots, cosines));
    }
    HookPoint hookPoint = rows.chunk().getHookPoint();
    for (int r = 0; r < rows.count(); r++) {
      rows.read(r, row);
      double norm = Math.sqrt(dot(row, row));
      for (int i = 0; i < names.size(); i++) {
        float[] direction = sites.get(i).direction(hookPoint, rows.layer(r));
        if (direction != null) {
          double dot = dot(row, direction);
          projections.get(i).dots()[r] = (float) dot;
          projections.get(i).cosines()[r] = norm == 0 ? 0 : (float) (dot / norm);
        }
      }
    }
    return projections;
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int d = 0; d < a.length; d++) {
      sum += (double) a[d] * b[d];
    }
    return sum;
  }
}
