package io.lensflow.engine.torch;

import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A tensor in native memory, freed by {@link #close}. What type its elements have is known by the
 * code that made it: DJL cannot say it for bfloat16, so nothing here asks.
 *
 * <p>Not thread-safe.
 */
public final class Tensor implements AutoCloseable {
  private static final class Managers {
    /** Where DJL wants to hang the array objects that {@link #bytes} and lists need. */
    private static final String TRACKING = "OPT_OUT_TRACKING";

    static final PtNDManager ROOT;

    static {
      OpenMp.spinBriefly();
      // DJL would ask a cloud's metadata service where it runs, and tell its makers.
      if (System.getProperty(TRACKING) == null) {
        System.setProperty(TRACKING, "true");
      }
      ROOT = (PtNDManager) NDManager.newBaseManager("PyTorch");
    }
  }

  private IValue value;
  private PtNDArray array;

  Tensor(IValue value) {
    this.value = value;
  }

  static PtNDManager manager() {
    return Managers.ROOT;
  }

  /**
   * The tensor's own memory, little-endian: reading and writing it needs no copy. The buffer dies
   * with the tensor; touching it after {@link #close} crashes the process.
   *
   * <p>Only for contiguous tensors on the CPU of less than 2 GiB.
   */
  public ByteBuffer bytes() {
    return JniUtils.getByteBuffer(array(), true).order(ByteOrder.LITTLE_ENDIAN);
  }

  IValue value() {
    if (value == null) {
      throw new IllegalStateException("this tensor is closed");
    }
    return value;
  }

  PtNDArray array() {
    if (array == null) {
      array = value().toTensor(manager());
    }
    return array;
  }

  /** Frees the memory unless another tensor shares it. Closing twice is harmless. */
  @Override
  public void close() {
    if (array != null) {
      array.close();
      array = null;
    }
    if (value != null) {
      value.close();
      value = null;
    }
  }
}
