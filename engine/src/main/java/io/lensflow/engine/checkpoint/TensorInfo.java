package io.lensflow.engine.checkpoint;

import java.util.List;

/**
 * A tensor as a safetensors header describes it, checked.
 *
 * @param name such as {@code model.embed_tokens.weight}
 * @param dtype safetensors name of the element type, such as {@code BF16}
 * @param shape sizes, outermost first; empty for a scalar
 * @param begin first byte, counted from the end of the header
 * @param byteCount length in bytes
 */
public record TensorInfo(String name, String dtype, List<Long> shape, long begin, long byteCount) {
  public TensorInfo {
    shape = List.copyOf(shape);
  }
}
