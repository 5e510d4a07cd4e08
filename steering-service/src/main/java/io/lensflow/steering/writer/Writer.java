package io.lensflow.steering.writer;

import io.lensflow.records.Failure;
import io.lensflow.records.SteeringCommand;
import io.lensflow.schemas.deadletter.DeadLetters;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaClients;
import io.lensflow.steering.policy.PolicyChanges;
import io.lensflow.steering.topics.CommittedEnds;
import io.lensflow.steering.topics.TopicTail;
import io.lensflow.steering.vector.Change;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.VectorChanges;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SerializationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes changes while this instance is the writer.
 *
 * <p>Why no version number can be given twice: a number is chosen from the book, which is up to
 * date because (1) opening the {@link ChangeLog} fences every earlier writer and ends its
 * transactions, (2) after that the topics are read to their end before anything is written, and (3)
 * after each change its own records are read back before the next is planned. An instance that was
 * paused in between and wakes with an old book may plan a number that is taken, but cannot commit
 * it: its log is fenced. Group membership ({@link WriterElection}) only decides who opens a log, so
 * it matters for progress and not for safety.
 *
 * <p>Thread-safe; changes are written one after the other under a lock.
 */
public final class Writer implements ChangeWriter {
  private static final Logger log = LoggerFactory.getLogger(Writer.class);

  private final KafkaClients clients;
  private final TopicCatalogue topics;
  private final WriterTimes times;
  private final CommittedEnds ends;
  private final TopicTail tail;
  private final CommandReader commandReader;
  private final RecordDeserializer<SteeringCommand> commandDeserializer;
  private final MeterRegistry metrics;
  private final Clock clock;

  private final ReentrantLock writing = new ReentrantLock(true);

  /** Null unless this instance writes; set under {@link #writing}. */
  private volatile ChangeLog changeLog;

  /** How far the book must have been read before the next change; guarded by {@link #writing}. */
  private final Map<TopicPartition, Long> mustBeRead = new HashMap<>();

  /** Guarded by {@link #writing}. */
  private CarriedOut carriedOut = new CarriedOut();

  /** When this instance found itself fenced, {@link System#nanoTime}; null if it was not. */
  private volatile Long fencedAtNanos;

  /** Makes a writer that does not write yet. The caller keeps and closes {@code tail}. */
  public Writer(
      KafkaClients clients,
      WriterTimes times,
      CommittedEnds ends,
      TopicTail tail,
      VectorChanges changes,
      PolicyChanges policies,
      MeterRegistry metrics,
      Clock clock) {
    this.clients = clients;
    this.topics = clients.settings().catalogue();
    this.times = times;
    this.ends = ends;
    this.tail = tail;
    this.commandReader = new CommandReader(changes, policies);
    this.commandDeserializer = clients.deserializer(SteeringCommand.class);
    this.metrics = metrics;
    this.clock = clock;
    metrics.gauge("lensflow.steering.writer", this, writer -> writer.isOpen() ? 1 : 0);
  }

  @Override
  public boolean isOpen() {
    return changeLog != null;
  }

  /**
   * Whether this instance was fenced less than a session ago. It may not know yet that it has lost
   * its membership, and by opening again it would only fence the rightful writer in turn.
   */
  boolean isFencedLately() {
    Long at = fencedAtNanos;
    return at != null && System.nanoTime() - at < times.session().toNanos();
  }

  /**
   * Takes over: fences the predecessor, then reads the topics to their end.
   *
   * @throws KafkaException if that does not succeed; then this instance does not write
   */
  void open() {
    ChangeLog opened = ChangeLog.open(clients, transactionalId(), times.transaction());
    try {
      Duration timeout = times.catchUp();
      tail.await(ends.of(tail.topics(), timeout), timeout);
      CarriedOut known = CarriedOut.read(clients, topics.audit(), clock.instant(), timeout);
      writing.lock();
      try {
        mustBeRead.clear();
        carriedOut = known;
        fencedAtNanos = null;
        changeLog = opened;
        opened = null;
      } finally {
        writing.unlock();
      }
    } catch (TimeoutException e) {
      throw new KafkaException(e.getMessage(), e);
    } finally {
      if (opened != null) {
        opened.close();
      }
    }
  }

  /** Stops to write, after the change that is being written. Does nothing if it does not write. */
  void close() {
    writing.lock();
    try {
      if (changeLog != null) {
        changeLog.close();
        changeLog = null;
      }
    } finally {
      writing.unlock();
    }
  }

  @Override
  public Written write(Supplier<Change> plan) {
    writing.lock();
    try {
      catchUp();
      Change change = plan.get();
      Map<TopicPartition, Long> next = commit(change.records(), null);
      count(change, "http");
      return new Written(change, next);
    } finally {
      writing.unlock();
    }
  }

  /**
   * Carries out a command; its offset is committed in the change's own transaction. What cannot be
   * carried out goes to the dead letters.
   *
   * @return false if this instance does not write; the command stays for who does
   */
  boolean carryOut(ConsumerRecord<byte[], byte[]> record, Consumed consumed) {
    writing.lock();
    try {
      if (changeLog == null) {
        return false;
      }
      catchUp();
      SteeringCommand command = commandDeserializer.deserialize(record.topic(), record.value());
      if (command == null) {
        throw RefusedException.invalid(null, "a command must have a value");
      }
      if (carriedOut.contains(command.getCommandId())) {
        log.info("command={} was carried out before", command.getCommandId());
        commit(List.of(), consumed);
        return true;
      }
      Change change = commandReader.read(command);
      commit(change.records(), consumed);
      carriedOut.add(command.getCommandId(), clock.instant());
      count(change, "command");
    } catch (RecordFormatException e) {
      giveUp(record, new Failure("UNDECODABLE", e.getMessage(), null), consumed);
    } catch (RefusedException e) {
      giveUp(record, e.toFailure(), consumed);
    } catch (RecordTooLargeException | SerializationException e) {
      // Trying again would not help, and would keep all later commands waiting.
      giveUp(record, new Failure("UNWRITABLE", e.getMessage(), null), consumed);
    } finally {
      writing.unlock();
    }
    return true;
  }

  private void giveUp(ConsumerRecord<byte[], byte[]> record, Failure failure, Consumed consumed) {
    log.warn(
        "command at offset {} goes to dead letters: {}", record.offset(), failure.getMessage());
    SpecificRecord letter = DeadLetters.of(record, "steering-service", failure, "", 1, clock);
    ProducerRecord<String, SpecificRecord> dead =
        LensflowHeaders.record(topics.deadLetters(), DeadLetters.keyOf(record), letter, null);
    commit(List.of(dead), consumed);
    metrics.counter("lensflow.steering.dead.letters").increment();
  }

  /** Waits until the book holds all that this instance wrote; the caller holds the lock. */
  private void catchUp() {
    if (changeLog == null) {
      throw new NotWriterException("this instance does not write");
    }
    try {
      tail.await(mustBeRead, times.transaction());
      mustBeRead.clear();
    } catch (TimeoutException e) {
      throw new NotWriterException("the last change cannot be read back yet", e);
    }
  }

  /** The next offsets of the steering topics behind what was written. */
  private Map<TopicPartition, Long> commit(
      List<ProducerRecord<String, SpecificRecord>> records, Consumed consumed) {
    Map<TopicPartition, Long> next;
    try {
      next = changeLog.commit(records, consumed);
      next.keySet().removeIf(partition -> !isSteering(partition.topic()));
    } catch (NotWriterException e) {
      fencedAtNanos = System.nanoTime();
      close();
      metrics.counter("lensflow.steering.fenced").increment();
      log.info("no longer the writer: {}", e.getMessage());
      throw e;
    } catch (OutcomeUnknownException e) {
      close();
      log.warn("a change's outcome is not known", e);
      throw e;
    }
    mustBeRead.putAll(next);
    try {
      tail.await(next, times.transaction());
    } catch (TimeoutException e) {
      log.warn("a change was written, but could not be read back yet: {}", e.getMessage());
    }
    return next;
  }

  private boolean isSteering(String topic) {
    return tail.topics().contains(topic);
  }

  private void count(Change change, String origin) {
    metrics
        .counter("lensflow.steering.changes", "action", change.action(), "origin", origin)
        .increment();
    log.info(
        "model={} name={} versions={} action={} origin={}",
        change.model(),
        change.name(),
        change.versions(),
        change.action(),
        origin);
  }

  private String transactionalId() {
    return topics.prefix() + "steering-writer";
  }
}
