package io.lensflow.steering.build;

import java.util.List;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/**
 * The first right singular vector of a matrix with few rows: of X [n, D] the largest eigenvector u
 * of X Xᵀ [n, n], and then Xᵀ u, whose length is the singular value. Stateless.
 */
final class PrincipalDirection {
  private PrincipalDirection() {}

  /**
   * The direction [D], of length 1; zero if all rows are.
   *
   * @param rows X, uncentred
   */
  static double[] of(List<double[]> rows) {
    int n = rows.size();
    DMatrixRMaj gram = new DMatrixRMaj(n, n);
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double product = Doubles.dot(rows.get(i), rows.get(j));
        gram.set(i, j, product);
        gram.set(j, i, product);
      }
    }
    DMatrixRMaj largest = largestEigenvector(gram);
    double[] direction = new double[rows.get(0).length];
    for (int i = 0; i < n; i++) {
      Doubles.addTo(direction, largest.get(i), rows.get(i));
    }
    double norm = Doubles.norm(direction);
    return norm == 0 ? direction : Doubles.scaled(direction, 1 / norm);
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
