package io.lensflow.engine.torch;

import ai.djl.pytorch.jni.JniUtils;

/**
 * Settings that PyTorch keeps per calling thread.
 *
 * <p>The profiling executor would specialise every kernel anew for each shape, so it is switched
 * off on each thread before its first kernel. The number of threads that one operator spreads over
 * is set by the owner of the kernels ({@link #useThreads}).
 */
public final class KernelThread {
  private static final ThreadLocal<int[]> THREADS =
      ThreadLocal.withInitial(
          () -> {
            Tensor.manager();
            JniUtils.setGraphExecutorOptimize(false);
            return new int[1];
          });

  private KernelThread() {}

  static void enter() {
    THREADS.get();
  }

  /** Lets operators called from this thread spread over so many threads. */
  public static void useThreads(int threads) {
    int[] current = THREADS.get();
    if (current[0] != threads) {
      JniUtils.setNumThreads(threads);
      current[0] = threads;
    }
  }
}
