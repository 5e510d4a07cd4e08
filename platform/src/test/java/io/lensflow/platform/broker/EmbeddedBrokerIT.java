package io.lensflow.platform.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.platform.net.Ports;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedBrokerIT {
  private static final TopicPartition PARTITION = new TopicPartition("kept", 0);
  private static final int LIMIT_SECONDS = 30;

  private static EmbeddedBroker running;
  private static int port;

  @TempDir Path folder;

  @BeforeAll
  static void start() throws IOException {
    port = Ports.free();
    running = EmbeddedBroker.start(BrokerOptions.temporary().withPort(port));
  }

  @AfterAll
  static void shouldLeaveNothingWhenATemporaryBrokerIsClosed() {
    assertThat(running.folder().resolve("broker.log")).exists();
    running.close();
    assertThat(running.folder()).doesNotExist();
  }

  @Test
  void shouldFindItsRecordsWhenItStartsAgainHoweverItEnded() throws Exception {
    List<String> written = new ArrayList<>();
    for (String end : List.of("TERM", "KILL", "close", "close")) {
      try (EmbeddedBroker broker = EmbeddedBroker.start(BrokerOptions.in(folder))) {
        if (written.isEmpty()) {
          createTopic(broker);
        }
        assertThat(read(broker)).isEqualTo(written);
        write(broker, "before " + end);
        written.add("before " + end);
        end(broker, end);
        broker.onExit().get(LIMIT_SECONDS, TimeUnit.SECONDS);
        assertThat(broker.isAlive()).isFalse();
      }
    }
    assertThat(written).hasSize(4);
  }

  @Test
  void shouldNameTheFolderAndItsUserWhenTheFolderIsInUse() {
    assertThatThrownBy(() -> EmbeddedBroker.start(BrokerOptions.in(running.folder())))
        .isInstanceOf(BrokerStartException.class)
        .hasMessageContaining(running.folder().toString())
        .hasMessageContaining("process " + ProcessHandle.current().pid())
        .hasMessageContaining("choose another folder");
    assertThat(running.isAlive()).isTrue();
  }

  @Test
  void shouldTakeTheGivenPortOrNameItWhenItIsBusy() {
    assertThat(running.bootstrapServers()).isEqualTo("127.0.0.1:" + port);
    assertThatThrownBy(() -> EmbeddedBroker.start(BrokerOptions.in(folder).withPort(port)))
        .isInstanceOf(BrokerStartException.class)
        .hasMessageContaining("Port " + port)
        .hasMessageContaining("choose another port");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void shouldSendClientsBackToTheAddressTheyCameByWhenItIsAdvertised() throws Exception {
    int outside = Ports.free();
    BrokerOptions options =
        BrokerOptions.in(folder).withAdvertised(List.of("localhost:" + outside));

    try (EmbeddedBroker broker = EmbeddedBroker.start(options)) {
      assertThat(addressTold("127.0.0.1:" + outside)).isEqualTo("localhost:" + outside);
      assertThat(addressTold(broker.bootstrapServers())).isEqualTo(broker.bootstrapServers());
    }
  }

  private static String addressTold(String bootstrapServers) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers))) {
      Node node = admin.describeCluster().nodes().get().iterator().next();
      return node.host() + ":" + node.port();
    }
  }

  @Test
  void shouldLeaveCtrlCToItsParentWhenTheTerminalSendsItToAll() throws Exception {
    signal("INT", running.pid());
    signal("HUP", running.pid());

    createTopic(running);
    write(running, "still here");
    assertThat(read(running)).containsExactly("still here");
  }

  @Test
  void shouldSayWhereToLookWhenKafkaRefusesItsSettings() {
    BrokerOptions options =
        BrokerOptions.in(folder).withProperties(Map.of("num.io.threads", "many"));

    assertThatThrownBy(() -> EmbeddedBroker.start(options))
        .isInstanceOf(BrokerStartException.class)
        .hasMessageContaining("num.io.threads")
        .hasMessageContaining("broker.log");
  }

  @Test
  void shouldEndAndFreeItsFolderWhenItsParentIsKilled() throws Exception {
    Process parent = startParent();
    ProcessHandle child;
    try (BufferedReader output = parent.inputReader()) {
      String line = output.readLine();
      assertThat(line).startsWith("child ");
      child = ProcessHandle.of(Long.parseLong(line.substring("child ".length()))).orElseThrow();
      assertThat(child.isAlive()).isTrue();
      parent.destroyForcibly();
    }

    // The next start comes while the child still ends: it waits instead of complaining.
    try (EmbeddedBroker next = EmbeddedBroker.start(BrokerOptions.in(folder))) {
      assertThat(next.isAlive()).isTrue();
      child.onExit().get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }
  }

  private Process startParent() throws Exception {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            BrokerParent.class.getName(),
            folder.toString())
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private static void end(EmbeddedBroker broker, String how) throws Exception {
    if (how.equals("close")) {
      broker.close();
    } else {
      signal(how, broker.pid());
    }
  }

  private static void signal(String name, long pid) throws Exception {
    Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(pid)).start();
    assertThat(kill.waitFor()).isZero();
  }

  private static void createTopic(EmbeddedBroker broker) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
      admin.createTopics(List.of(new NewTopic(PARTITION.topic(), 1, (short) 1))).all().get();
    }
  }

  private static void write(EmbeddedBroker broker, String value) throws Exception {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", broker.bootstrapServers(), "acks", "all"),
            new StringSerializer(),
            new StringSerializer())) {
      producer
          .send(new ProducerRecord<>(PARTITION.topic(), 0, null, value))
          .get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }
  }

  private static List<String> read(EmbeddedBroker broker) {
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", broker.bootstrapServers()),
            new StringDeserializer(),
            new StringDeserializer())) {
      consumer.assign(List.of(PARTITION));
      consumer.seekToBeginning(List.of(PARTITION));
      long end = consumer.endOffsets(List.of(PARTITION)).get(PARTITION);
      List<String> values = new ArrayList<>();
      while (consumer.position(PARTITION) < end) {
        consumer.poll(Duration.ofMillis(100)).forEach(record -> values.add(record.value()));
      }
      return values;
    }
  }
}
