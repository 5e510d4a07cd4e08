package io.lensflow.cli.command;

/**
 * Sees to it that Ctrl-C and SIGTERM stop what runs in good order: a shutdown hook closes it, and
 * the process ends when that is done. Leaving the block unregisters the hook.
 */
final class Stopping implements AutoCloseable {
  private final AutoCloseable guarded;
  private final Thread hook = new Thread(this::stop, "lensflow-stop");

  private Stopping(AutoCloseable guarded) {
    this.guarded = guarded;
  }

  /** Closes a resource at shutdown. */
  static Stopping of(AutoCloseable resource) {
    Stopping stopping = new Stopping(resource);
    Runtime.getRuntime().addShutdownHook(stopping.hook);
    return stopping;
  }

  private void stop() {
    try {
      guarded.close();
    } catch (Exception e) {
      System.err.println("lensflow: stopping: " + e.getMessage());
    }
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // the hook is running; it does what is left to do
    }
  }
}
