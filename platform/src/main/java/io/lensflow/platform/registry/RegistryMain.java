package io.lensflow.platform.registry;

import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** A registry as a process of its own, for containers. Arguments: bootstrap servers, host, port. */
public final class RegistryMain {
  private RegistryMain() {}

  /** Runs until it is told to stop. */
  public static void main(String[] args) throws InterruptedException {
    if (args.length != 3) {
      System.err.println("Usage: RegistryMain bootstrap-servers host port");
      System.exit(2);
    }
    RegistryOptions options =
        new RegistryOptions(
            args[0], args[1], Integer.parseInt(args[2]), RegistryOptions.TOPIC, Map.of());
    EmbeddedRegistry registry;
    try {
      registry = EmbeddedRegistry.start(options);
    } catch (RegistryStartException e) {
      System.err.println(e.getMessage());
      System.exit(1);
      return;
    }
    CountDownLatch stopped = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  registry.close();
                  stopped.countDown();
                },
                "registry-shutdown"));
    System.out.println("Schema registry at " + registry.uri());
    stopped.await();
  }
}
