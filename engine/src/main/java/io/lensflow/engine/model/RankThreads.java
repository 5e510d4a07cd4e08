package io.lensflow.engine.model;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/**
 * A thread for every rank but the first, which runs on the caller's: kernels run best always on the
 * same thread, and one that belongs to a pinned actor already exists. A rank is whatever holds a
 * part of a model: of its layers, or of its head alone.
 *
 * <p>Not thread-safe.
 */
public final class RankThreads implements AutoCloseable {
  private final List<ExecutorService> threads = new ArrayList<>();

  /**
   * @param name what the threads' names begin with
   * @param ranks how many, the caller's included
   */
  public RankThreads(String name, int ranks) {
    for (int rank = 1; rank < ranks; rank++) {
      String own = name + "-" + rank;
      threads.add(
          Executors.newSingleThreadExecutor(
              task -> {
                Thread thread = new Thread(task, own);
                thread.setDaemon(true);
                return thread;
              }));
    }
  }

  /**
   * Runs a task for every rank at the same time.
   *
   * @param task gives the task of a rank
   * @param onFailure told of a failure as soon as it happens, so that nobody waits for who failed
   * @return the results, in order of the ranks
   * @throws Exception the first rank's failure, with the others' as suppressed ones
   */
  public <T> List<T> run(IntFunction<Callable<T>> task, Consumer<Throwable> onFailure)
      throws Exception {
    List<Future<T>> others = new ArrayList<>();
    for (int i = 0; i < threads.size(); i++) {
      Callable<T> own = task.apply(i + 1);
      others.add(threads.get(i).submit(() -> guarded(own, onFailure)));
    }
    List<T> results = new ArrayList<>();
    Throwable failure = null;
    try {
      results.add(guarded(task.apply(0), onFailure));
    } catch (Exception | Error e) {
      failure = e;
    }
    for (Future<T> other : others) {
      try {
        results.add(await(other));
      } catch (ExecutionException e) {
        failure = first(failure, e.getCause());
      }
    }
    if (failure instanceof Error error) {
      throw error;
    }
    if (failure != null) {
      throw (Exception) failure;
    }
    return results;
  }

  /** Waits even when interrupted: the caller frees what the ranks still compute with. */
  private static <T> T await(Future<T> task) throws ExecutionException {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static <T> T guarded(Callable<T> task, Consumer<Throwable> onFailure) throws Exception {
    try {
      return task.call();
    } catch (Exception | Error e) {
      onFailure.accept(e);
      throw e;
    }
  }

  /** What failed by itself comes before what failed because another did. */
  private static Throwable first(Throwable known, Throwable other) {
    if (known == null) {
      return other;
    }
    if (known.getCause() == other) {
      return other;
    }
    if (other.getCause() != known) {
      known.addSuppressed(other);
    }
    return known;
  }

  @Override
  public void close() {
    threads.forEach(ExecutorService::shutdown);
  }
}
