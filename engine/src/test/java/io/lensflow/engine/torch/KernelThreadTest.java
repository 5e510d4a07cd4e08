package io.lensflow.engine.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Threads that OpenMP makes bear the name of the one whose operators they take part in. */
class KernelThreadTest {
  private static final Path THREADS = Path.of("/proc/self/task");

  @BeforeAll
  static void requireSeveralProcessors() {
    assumeTrue(Files.isDirectory(THREADS), "threads are counted in /proc, which is Linux's");
    assumeTrue(Runtime.getRuntime().availableProcessors() > 1, "one processor: nothing to spread");
  }

  @Test
  void shouldSpreadNoOperatorUnlessTheThreadsOwnerSaysSo() throws Exception {
    assertThat(threadsAfterALargeOperator("kernel-alone", () -> null)).isEqualTo(1);
  }

  @Test
  void shouldSpreadOperatorsOverAsManyThreadsAsAreUsed() throws Exception {
    Callable<Void> two =
        () -> {
          KernelThread.useThreads(2);
          return null;
        };
    assertThat(threadsAfterALargeOperator("kernel-pair", two)).isEqualTo(2);
  }

  private static long threadsAfterALargeOperator(String name, Callable<Void> before)
      throws Exception {
    ExecutorService thread = Executors.newSingleThreadExecutor(task -> new Thread(task, name));
    try {
      return thread
          .submit(
              () -> {
                before.call();
                TensorKernels tensors = new TensorKernels("cpu");
                try (Tensor one = tensors.floats(new float[1 << 20])) {
                  tensors.stack(List.of(one, one), 0).close();
                  return count(name);
                } finally {
                  tensors.close();
                }
              })
          .get();
    } finally {
      thread.shutdown();
    }
  }

  private static long count(String name) throws IOException {
    try (Stream<Path> all = Files.list(THREADS)) {
      return all.filter(one -> isNamed(one, name)).count();
    }
  }

  private static boolean isNamed(Path thread, String name) {
    try {
      return Files.readString(thread.resolve("comm")).strip().equals(name);
    } catch (IOException e) {
      return false; // it has ended
    }
  }
}
