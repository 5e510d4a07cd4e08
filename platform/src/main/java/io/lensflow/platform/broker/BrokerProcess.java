package io.lensflow.platform.broker;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.Reader;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;

/**
 * Main class of a broker's JVM: formats the log folder if it is new, runs Kafka, and says on
 * standard output one line: {@code READY}, or {@code REFUSED} or {@code FAILED} and the reason.
 *
 * <p>Arguments: a {@code server.properties} file, and optionally {@code --child}. A child ends when
 * its standard input ends, that is, when the process that started it closes it or dies in whatever
 * way; a Ctrl-C at the terminal, which reaches both, it leaves to its parent, whose services still
 * have records to send.
 */
public final class BrokerProcess {
  static final String READY = "READY";

  /** Before a reason that says all there is to say, and how to mend it. */
  static final String REFUSED = "REFUSED ";

  private static final String FAILED = "FAILED ";

  /** Our own settings, in the same file: the folder to lock, the process that asked, … */
  static final String FOLDER = "lensflow.folder";

  static final String OWNER = "lensflow.owner";
  static final String TEMPORARY = "lensflow.temporary";

  private BrokerProcess() {}

  /** Whether a line of the child's output is its answer; libraries may print others. */
  static boolean isAnswer(String line) {
    return line.equals(READY) || line.startsWith(REFUSED) || line.startsWith(FAILED);
  }

  /** Runs until it is told to stop. */
  public static void main(String[] args) throws IOException {
    if (args.length < 1 || args.length > 2 || (args.length == 2 && !args[1].equals("--child"))) {
      System.err.println("Usage: BrokerProcess server.properties [--child]");
      System.exit(2);
    }
    boolean child = args.length == 2;
    if (child) {
      ignoreSignal("INT");
      ignoreSignal("HUP");
    }
    try {
      start(load(Path.of(args[0])));
    } catch (BrokerStartException e) {
      fail(REFUSED + e.getMessage());
    } catch (Exception e) {
      e.printStackTrace();
      fail(FAILED + e);
    }
    System.out.println(READY);
    if (child) {
      while (System.in.read() >= 0) {
        // Nothing is ever sent: only the end of the stream counts.
      }
      System.exit(0);
    }
  }

  private static void start(Properties properties) throws Exception {
    String folder = properties.getProperty(FOLDER);
    DataFolder data =
        folder == null
            ? null
            : DataFolder.take(Path.of(folder), Long.parseLong(properties.getProperty(OWNER)));
    KafkaConfig config = new KafkaConfig(properties, false);
    format(config);
    KafkaRaftServer server = new KafkaRaftServer(config, Time.SYSTEM);
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> stop(server, data, properties), "broker-shutdown"));
    server.startup();
  }

  private static void stop(KafkaRaftServer server, DataFolder data, Properties properties) {
    server.shutdown();
    server.awaitShutdown();
    if (data != null) {
      if (Boolean.parseBoolean(properties.getProperty(TEMPORARY))) {
        DataFolder.delete(Path.of(properties.getProperty(FOLDER)));
      }
      try {
        data.close();
      } catch (IOException e) {
        // The process ends now and the lock with it.
      }
    }
  }

  private static void format(KafkaConfig config) throws Exception {
    if (Files.exists(Path.of(config.metadataLogDir(), "meta.properties"))) {
      return;
    }
    Formatter formatter =
        new Formatter()
            .setPrintStream(new PrintStream(OutputStream.nullOutputStream()))
            .setNodeId(config.nodeId())
            .setClusterId(Uuid.randomUuid().toString())
            .setReleaseVersion(MetadataVersion.LATEST_PRODUCTION)
            .setControllerListenerName(config.controllerListenerNames().get(0))
            .setMetadataLogDirectory(config.metadataLogDir());
    config.logDirs().forEach(formatter::addDirectory);
    formatter.run();
  }

  private static Properties load(Path file) throws IOException {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      properties.load(reader);
    }
    return properties;
  }

  private static void fail(String answer) {
    System.out.println(answer.replace('\n', ' '));
    // Not exit: Kafka's threads may be half started, and hooks would wait for them.
    Runtime.getRuntime().halt(1);
  }

  /**
   * By reflection, since the compiler warns of {@code sun.misc} without a way to say it is meant.
   */
  private static void ignoreSignal(String name) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Method handle = signal.getMethod("handle", signal, handler);
      handle.invoke(
          null,
          signal.getConstructor(String.class).newInstance(name),
          handler.getField("SIG_IGN").get(null));
    } catch (ReflectiveOperationException | IllegalArgumentException e) {
      // Without it the broker merely stops at Ctrl-C a little before its parent.
    }
  }
}
