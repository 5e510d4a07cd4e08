package io.lensflow.steering.build;

import io.lensflow.steering.algebra.Doubles;
import java.util.List;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/**
 * The first right singular vector of a matrix X [n, D]: the largest eigenvector of XᵀX [D, D], or,
 * where X has fewer rows, Xᵀu of the largest eigenvector u of X Xᵀ [n, n]. So what is decomposed is
 * no larger than X. Stateless.
 */
final class PrincipalDirection {
  private PrincipalDirection() {}

  /**
   * The direction [D], of length 1; zero if all rows are.
   *
   * @param rows X, uncentred
   */
  static double[] of(List<double[]> rows) {
    double[] direction = rows.size() > rows.get(0).length ? ofTall(rows) : ofWide(rows);
    double norm = Doubles.norm(direction);
    return norm == 0 ? direction : Doubles.scaled(direction, 1 / norm);
  }

  private static double[] ofTall(List<double[]> rows) {
    int width = rows.get(0).length;
    DMatrixRMaj gram = new DMatrixRMaj(width, width);
    boolean zero = true;
    for (double[] row : rows) {
      for (int i = 0; i < width; i++) {
        zero &= row[i] == 0;
        for (int j = 0; j <= i; j++) {
          gram.data[i * width + j] += row[i] * row[j];
        }
      }
    }
    return zero ? new double[width] : largestEigenvector(mirrored(gram)).data;
  }

  private static double[] ofWide(List<double[]> rows) {
    int n = rows.size();
    DMatrixRMaj gram = new DMatrixRMaj(n, n);
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        gram.set(i, j, Doubles.dot(rows.get(i), rows.get(j)));
      }
    }
    DMatrixRMaj largest = largestEigenvector(mirrored(gram));
    double[] direction = new double[rows.get(0).length];
    for (int i = 0; i < n; i++) {
      Doubles.addTo(direction, largest.get(i), rows.get(i));
    }
    return direction;
  }

  /** The symmetric matrix of which only the lower half is there. */
  private static DMatrixRMaj mirrored(DMatrixRMaj lower) {
    for (int i = 0; i < lower.numRows; i++) {
      for (int j = 0; j < i; j++) {
        lower.set(j, i, lower.get(i, j));
      }
    }
    return lower;
  }

  private static DMatrixRMaj largestEigenvector(DMatrixRMaj symmetric) {
    EigenDecomposition_F64<DMatrixRMaj> eigen =
        DecompositionFactory_DDRM.eig(symmetric.numRows, true, true);
    if (!eigen.decompose(symmetric)) {
      throw new IllegalStateException("the eigenvalues of the differences do not converge");
    }
    int largest = 0;
    for (int i = 1; i < eigen.getNumberOfEigenvalues(); i++) {
      if (eigen.getEigenvalue(i).getReal() > eigen.getEigenvalue(largest).getReal()) {
        largest = i;
      }
    }
    return eigen.getEigenVector(largest);
  }
}
