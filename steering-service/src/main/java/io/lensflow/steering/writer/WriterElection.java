package io.lensflow.steering.writer;

import io.lensflow.service.KafkaClients;
import java.net.URI;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chooses the writer: all instances are members of one consumer group, and the one that owns the
 * only partition of {@code steering-commands} opens its {@link Writer} and carries out what comes
 * there. The others wait; the assignor is sticky, so a new instance takes nothing from a living
 * writer.
 *
 * <p>One thread, {@code steering-writer}, owns the consumer. Records that come while the writer is
 * not open are dropped: opening seeks to the group's committed offset.
 */
public final class WriterElection implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(WriterElection.class);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration RETRY_PAUSE = Duration.ofSeconds(1);
  private static final Duration COMMITTED_TIMEOUT = Duration.ofSeconds(10);

  private final KafkaClients clients;
  private final Writer writer;
  private final WriterTimes times;
  private final TopicPartition commands;
  private final String group;
  private final CountDownLatch closing = new CountDownLatch(1);

  private KafkaConsumer<byte[], byte[]> consumer;
  private Thread thread;

  /** Whether the group gave this instance the partition; the thread's own. */
  private boolean owner;

  public WriterElection(KafkaClients clients, Writer writer, WriterTimes times) {
    this.clients = clients;
    this.writer = writer;
    this.times = times;
    this.commands = new TopicPartition(clients.settings().catalogue().steeringCommands(), 0);
    this.group = clients.settings().topicPrefix() + "steering-writer";
  }

  /**
   * Joins the group.
   *
   * @param advertised URL at which others reach this instance
   */
  public void start(URI advertised) {
    Map<String, Object> needs = new HashMap<>();
    needs.put(ConsumerConfig.GROUP_ID_CONFIG, group);
    needs.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, "classic");
    needs.put(ConsumerConfig.CLIENT_ID_CONFIG, WriterAddress.clientId(advertised));
    needs.put(
        ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG,
        CooperativeStickyAssignor.class.getName());
    int sessionMillis = Math.toIntExact(times.session().toMillis());
    needs.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, sessionMillis);
    needs.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, Math.max(1, sessionMillis / 4));
    needs.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    needs.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    // One transaction a command anyway; a small batch keeps memory small where commands are large.
    needs.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 16);
    consumer = clients.bytesConsumer(needs);
    consumer.subscribe(List.of(commands.topic()), new Ownership());
    thread = new Thread(this::run, "steering-writer");
    thread.start();
  }

  /** Finds the writer among the members. */
  public WriterAddress address(Admin admin) {
    return new WriterAddress(admin, group, commands);
  }

  private void run() {
    try {
      while (closing.getCount() > 0) {
        try {
          step();
        } catch (WakeupException e) {
          // close() woke it.
        } catch (RuntimeException e) {
          log.warn("writing pauses: {}", e.toString());
          writer.close();
          pause();
        }
      }
    } finally {
      writer.close();
      consumer.close();
    }
  }

  private void step() {
    ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
    if (!owner || writer.isFencedLately()) {
      return;
    }
    if (!writer.isOpen()) {
      open();
      return;
    }
    for (ConsumerRecord<byte[], byte[]> record : records) {
      OffsetAndMetadata next = new OffsetAndMetadata(record.offset() + 1);
      if (!writer.carryOut(
          record, new Consumed(Map.of(commands, next), consumer.groupMetadata()))) {
        return;
      }
    }
  }

  private void open() {
    writer.open();
    // Only now: before the predecessor was fenced, it could still have moved the offset.
    OffsetAndMetadata committed =
        consumer.committed(Set.of(commands), COMMITTED_TIMEOUT).get(commands);
    long first = consumer.beginningOffsets(Set.of(commands)).get(commands);
    consumer.seek(commands, committed == null ? first : Math.max(first, committed.offset()));
    log.info("this instance is the writer");
  }

  private void pause() {
    try {
      closing.await(RETRY_PAUSE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      closing.countDown();
    }
  }

  /** Called by {@code poll}, on the thread that owns the consumer. */
  private final class Ownership implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      owner |= partitions.contains(commands);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      if (partitions.contains(commands)) {
        owner = false;
        writer.close();
        log.info("another instance becomes the writer");
      }
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
      onPartitionsRevoked(partitions);
    }
  }

  /** Leaves the group, so that another instance can take over at once. */
  @Override
  public void close() {
    closing.countDown();
    if (thread == null) {
      return;
    }
    consumer.wakeup();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
