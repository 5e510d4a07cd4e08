package io.lensflow.cli.command;

import java.util.concurrent.Callable;

/** Sees to it that Ctrl-C and SIGTERM stop what runs in good order. */
final class Stopping {
  private Stopping() {}

  /**
   * Does some work over a resource and closes it, whether the work ends or the process is told to:
   * then a shutdown hook closes it, and the process ends when that is done.
   *
   * @param resource safe to close from another thread, and twice
   */
  static <T> T closing(AutoCloseable resource, Callable<T> work) throws Exception {
    Thread hook = new Thread(() -> close(resource), "lensflow-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try (resource) {
      return work.call();
    } finally {
      forget(hook);
    }
  }

  private static void close(AutoCloseable resource) {
    try {
      resource.close();
    } catch (Exception e) {
      System.err.println("lensflow: stopping: " + e.getMessage());
    }
  }

  private static void forget(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // the hook is running; it does what is left to do
    }
  }
}
