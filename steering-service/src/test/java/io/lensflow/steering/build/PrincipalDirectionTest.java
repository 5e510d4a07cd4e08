package io.lensflow.steering.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.steering.algebra.Doubles;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PrincipalDirectionTest {
  @Test
  void shouldBeTheLongestOfTheAxesWhenRowsLieOnThem() {
    double[] along = PrincipalDirection.of(List.of(new double[] {3, 4, 0}, new double[] {0, 0, 2}));
    assertThat(Math.abs(Doubles.dot(along, new double[] {0.6, 0.8, 0})))
        .isCloseTo(1, within(1e-12));
  }

  @Test
  void shouldBeTheSameWhetherRowsAreMoreThanValuesOrFewer() {
    // Repeating all rows changes no singular vector.
    List<double[]> few = List.of(new double[] {3, 1, 0, -2}, new double[] {1, 2, 5, 1});
    List<double[]> many = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      many.addAll(few);
    }
    double[] direction = PrincipalDirection.of(few);
    double[] same = PrincipalDirection.of(many);
    assertThat(Math.abs(Doubles.dot(direction, same))).isCloseTo(1, within(1e-12));
  }

  @Test
  void shouldTakeNoMoreThanTheRowsDoWhenTheyAreMany() {
    List<double[]> rows = new ArrayList<>();
    for (int i = 0; i < 100_000; i++) {
      rows.add(new double[] {1, i % 2 == 0 ? 0.5 : -0.5});
    }
    double[] direction = PrincipalDirection.of(rows);
    assertThat(Math.abs(direction[0])).isCloseTo(1, within(1e-12));
  }

  @Test
  void shouldBeZeroWhenAllRowsAre() {
    assertThat(PrincipalDirection.of(List.of(new double[3]))).containsExactly(0, 0, 0);
    assertThat(PrincipalDirection.of(List.of(new double[1], new double[1]))).containsExactly(0);
  }
}
