package io.lensflow.engine.torch;

import ai.djl.pytorch.jni.JniUtils;

/**
 * Settings that PyTorch keeps per calling thread.
 *
 * <p>The profiling executor would specialise every kernel anew for each shape, so it is switched
 * off on each thread before its first kernel. An operator stays on the calling thread unless the
 * owner of the kernels says otherwise ({@link #useThreads}): each thread that ever spread one over
 * others keeps a pool of its own, and with more pools than processors OpenMP no longer spins, in
 * none of them (see {@link OpenMp}).
 */
public final class KernelThread {
  private static final ThreadLocal<int[]> THREADS =
      ThreadLocal.withInitial(
          () -> {
            Tensor.manager();
            JniUtils.setGraphExecutorOptimize(false);
            JniUtils.setNumThreads(1);
            return new int[] {1};
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
