package io.lensflow.steering.evaluate;

import java.util.Arrays;

/**
 * What a group of items' slopes come to.
 *
 * @param items how many items
 * @param mean their mean
 * @param deviation their population standard deviation
 * @param antiSteerable share of them under 0: items that the vector moves the wrong way
 */
public record Slopes(int items, double mean, double deviation, double antiSteerable) {
  static Slopes of(double[] slopes) {
    long under = Arrays.stream(slopes).filter(slope -> slope < 0).count();
    return new Slopes(
        slopes.length,
        Moments.mean(slopes),
        Moments.deviation(slopes),
        (double) under / slopes.length);
  }
}
