package io.lensflow.engine;

/**
 * Element types of tensors and payloads. Carried by our own code: DJL does not know bfloat16, and
 * what it reports for such a tensor is meaningless.
 */
public enum DType {
  FLOAT32(6, 4, "F32"),
  FLOAT16(5, 2, "F16"),
  BFLOAT16(15, 2, "BF16");

  private final int scalarType;
  private final int bytes;
  private final String safetensorsName;

  DType(int scalarType, int bytes, String safetensorsName) {
    this.scalarType = scalarType;
    this.bytes = bytes;
    this.safetensorsName = safetensorsName;
  }

  /** The integer by which TorchScript source names this type ({@code torch.to(x, 15)}). */
  public int scalarType() {
    return scalarType;
  }

  /** Size of one element in bytes. */
  public int bytes() {
    return bytes;
  }

  /** The name in a safetensors header. */
  public String safetensorsName() {
    return safetensorsName;
  }
}
