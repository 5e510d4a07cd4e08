package io.lensflow.platform.broker;

/** One broker for the tests of this JVM that do not hurt it; it ends with the JVM. */
public final class SharedBroker {
  private static EmbeddedBroker broker;

  private SharedBroker() {}

  /** Where it listens. */
  public static synchronized String bootstrapServers() {
    if (broker == null) {
      broker = EmbeddedBroker.start(BrokerOptions.temporary());
      Runtime.getRuntime().addShutdownHook(new Thread(broker::close));
    }
    return broker.bootstrapServers();
  }
}
