package io.lensflow.platform.broker;

import java.nio.file.Path;

/** A process that starts a broker over a folder, says the child's process id, and waits to die. */
public final class BrokerParent {
  private BrokerParent() {}

  public static void main(String[] args) throws InterruptedException {
    EmbeddedBroker broker = EmbeddedBroker.start(BrokerOptions.in(Path.of(args[0])));
    System.out.println("child " + broker.pid());
    Thread.currentThread().join();
  }
}
