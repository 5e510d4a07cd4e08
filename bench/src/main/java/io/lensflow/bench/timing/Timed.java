package io.lensflow.bench.timing;

/** Something that is done and says how long the part that counts took. */
@FunctionalInterface
public interface Timed {
  /** Does it once. */
  double seconds() throws Exception;

  /** Work whose whole duration counts. */
  interface Work {
    void run() throws Exception;
  }

  /** All of {@code work} counts. */
  static Timed whole(Work work) {
    return () -> {
      long start = System.nanoTime();
      work.run();
      return (System.nanoTime() - start) * 1e-9;
    };
  }

  /** {@code count} times {@code work}; the seconds are those of one. */
  static Timed each(int count, Work work) {
    Timed all =
        whole(
            () -> {
              for (int i = 0; i < count; i++) {
                work.run();
              }
            });
    return () -> all.seconds() / count;
  }
}
