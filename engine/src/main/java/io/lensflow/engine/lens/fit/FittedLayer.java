package io.lensflow.engine.lens.fit;

import io.lensflow.engine.torch.Tensor;
import java.nio.ByteBuffer;

/**
 * The translator of one layer: y ≈ x + W x + b. Owns native memory; not thread-safe.
 *
 * @param layer whose rows it translates
 * @param rows how many it was learned from
 * @param weight W [D, D] float32
 * @param bias b [D] float32
 * @param meanDistance [D] float32, the mean of y − x: the best bias where W is zero
 */
public record FittedLayer(int layer, long rows, Tensor weight, Tensor bias, Tensor meanDistance)
    implements AutoCloseable {
  /** W, row by row, little-endian float32; dies with this object. */
  public ByteBuffer weightBytes() {
    return weight.bytes();
  }

  /** b, little-endian float32; dies with this object. */
  public ByteBuffer biasBytes() {
    return bias.bytes();
  }

  @Override
  public void close() {
    weight.close();
    bias.close();
    meanDistance.close();
  }
}
