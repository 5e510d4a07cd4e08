package io.lensflow.ingest.stream;

import io.lensflow.client.follow.ResultTopic;
import io.lensflow.ingest.StreamSettings;
import io.lensflow.ingest.stream.EventId.Live;
import io.lensflow.ingest.stream.EventId.Settled;
import io.lensflow.service.ApiException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/**
 * One client's stream, from its first look at the log to its last event. One thread runs it.
 *
 * <p>It follows each log in two steps. With a reader of its own it reads to the end; a slow client
 * slows this reading down and nothing else. Then it joins the shared tail, reads up to the place
 * from which the tail hands over, and gives its reader back. Completions are read before results,
 * because they say which attempts exist and which has won.
 */
final class EventStream {
  private static final long JOIN_MILLIS = 10_000;
  private static final long POLL_MILLIS = 250;

  private final StreamRequest request;
  private final StreamSources sources;
  private final StreamSettings settings;
  private final Clock clock;
  private final BooleanSupplier stopping;
  private final SseWriter writer;
  private final RequestFilter requestFilter;
  private final Timeline timeline;
  private final RecordIntake intake;

  private Map<ResultTopic, TopicPartition> partitions;

  /** Next offset to read of each log. */
  private final Map<ResultTopic, Long> positions = new EnumMap<>(ResultTopic.class);

  private final Instant opened;

  /** Time of the newest record: the broker's while catching up, then ours. */
  private Instant lastNews = Instant.MIN;

  private boolean caughtUpWithOutcome;

  EventStream(
      StreamRequest request,
      StreamSources sources,
      StreamSettings settings,
      Clock clock,
      BooleanSupplier stopping,
      SseWriter writer) {
    this.request = request;
    this.sources = sources;
    this.settings = settings;
    this.clock = clock;
    this.stopping = stopping;
    this.writer = writer;
    this.requestFilter = new RequestFilter(request.requestId());
    this.timeline =
        request.settled()
            ? new SettledTimeline(
                (Settled) request.from(), settings.bufferBytes(), request.filter(), writer)
            : new LiveTimeline((Live) request.from(), request.filter(), writer);
    this.intake = new RecordIntake(sources, timeline, settings.bufferBytes());
    this.opened = clock.instant();
  }

  /**
   * Runs the stream to its end.
   *
   * @return why it ended: {@code COMPLETE}, {@code INCOMPLETE}, or the code that its client was
   *     told
   * @throws IOException if the client has gone
   * @throws KafkaException if Kafka fails before the stream is open
   * @throws ApiException if the instance is too busy to open it
   */
  String run() throws IOException {
    try {
      if (request.settled()) {
        follow(EnumSet.of(ResultTopic.COMPLETIONS), () -> timeline.outcome().isPresent());
        if (timeline.hasFinished()) {
          follow(EnumSet.of(ResultTopic.LENS_RESULTS), () -> timeline.missing().isEmpty());
        }
      } else {
        follow(EnumSet.of(ResultTopic.COMPLETIONS, ResultTopic.LENS_RESULTS), this::isOver);
      }
      Optional<String> missing = timeline.missing();
      timeline.end(missing.map(what -> "incomplete, still missing: " + what).orElse(null));
      writer.flush();
      return missing.isEmpty() ? "COMPLETE" : "INCOMPLETE";
    } catch (StreamClosedException e) {
      return close(e, e.code());
    } catch (ApiException e) {
      return close(e, e.code());
    } catch (KafkaException e) {
      return close(e, "BROKER_UNAVAILABLE");
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** Tells the client, as an event if the stream is open; otherwise as the answer's status. */
  private String close(RuntimeException e, String code) throws IOException {
    if (!writer.isOpen()) {
      throw e;
    }
    writer.closed(request.requestId(), code, e.getMessage());
    return code;
  }

  /**
   * Of a request that failed or was cancelled nobody knows how many results there will be: those
   * that are there when the stream learns of it are told.
   */
  private boolean isOver() {
    return timeline.hasFinished()
        ? timeline.missing().isEmpty()
        : timeline.outcome().isPresent() && caughtUpWithOutcome;
  }

  private void follow(Set<ResultTopic> logs, BooleanSupplier done) throws IOException {
    TailListener listener = sources.readers().use(reader -> catchUp(reader, logs, done));
    if (listener == null) {
      return;
    }
    try {
      live(listener, done);
    } finally {
      sources.tail().remove(listener);
    }
  }

  /** Reads to the ends and joins the tail; null where nothing more is to be followed. */
  private TailListener catchUp(LogReader reader, Set<ResultTopic> logs, BooleanSupplier done)
      throws IOException {
    if (partitions == null) {
      partitions = sources.partitions(request.requestId(), reader);
    }
    reader.assign(Set.copyOf(partitions.values()));
    if (positions.isEmpty()) {
      begin(reader);
    }
    if (!writer.isOpen()) {
      writer.open();
    }
    boolean more = true;
    while (more && !done.getAsBoolean()) {
      more = false;
      for (ResultTopic which : logs) {
        more |= readTo(reader, which, end(reader, which), done);
      }
      caughtUpWithOutcome = timeline.outcome().isPresent();
    }
    writer.flush();
    return done.getAsBoolean() || isPatienceOver() ? null : join(reader, logs, done);
  }

  private void begin(LogReader reader) {
    Map<TopicPartition, Long> offsets =
        reader.offsets(
            Set.copyOf(partitions.values()),
            sources.searchFrom(request.requestId(), request.since()));
    partitions.forEach((which, partition) -> positions.put(which, offsets.get(partition)));
  }

  /**
   * How far to read now. Results of a request that did not finish are not looked for in all that
   * was written since.
   */
  private long end(LogReader reader, ResultTopic which) {
    TopicPartition partition = partitions.get(which);
    if (which == ResultTopic.LENS_RESULTS
        && timeline.outcome().isPresent()
        && !timeline.hasFinished()) {
      return reader
          .offsets(Set.of(partition), lastNews.plus(settings.resultsWait()))
          .get(partition);
    }
    return reader.end(partition);
  }

  private TailListener join(LogReader reader, Set<ResultTopic> logs, BooleanSupplier done)
      throws IOException {
    Map<TopicPartition, Long> reached = new HashMap<>();
    logs.stream()
        .filter(which -> !isExhausted(which))
        .forEach(which -> reached.put(partitions.get(which), positions.get(which)));
    TailListener listener = new TailListener(request.requestId(), reached, settings.bufferBytes());
    sources.tail().add(listener);
    boolean joined = false;
    try {
      Map<TopicPartition, Long> starts =
          listener.starts().orTimeout(JOIN_MILLIS, TimeUnit.MILLISECONDS).join();
      for (ResultTopic which : logs) {
        readTo(reader, which, starts.getOrDefault(partitions.get(which), 0L), done);
      }
      writer.flush();
      joined = true;
      return listener;
    } catch (CompletionException e) {
      throw new StreamClosedException("BROKER_UNAVAILABLE", "the log cannot be followed now");
    } finally {
      if (!joined) {
        sources.tail().remove(listener);
      }
    }
  }

  /** After the outcome, completions have nothing more to say, however long the log goes on. */
  private boolean isExhausted(ResultTopic which) {
    return which == ResultTopic.COMPLETIONS && timeline.outcome().isPresent();
  }

  /** Says whether there was anything to read. */
  private boolean readTo(LogReader reader, ResultTopic which, long end, BooleanSupplier done)
      throws IOException {
    long from = positions.get(which);
    if (from >= end || isExhausted(which)) {
      return false;
    }
    long reached =
        reader.read(
            partitions.get(which),
            from,
            end,
            requestFilter,
            record -> {
              take(record, Instant.ofEpochMilli(record.timestamp()));
              return !isExhausted(which);
            },
            () -> {
              beat();
              return stopping.getAsBoolean() || done.getAsBoolean();
            });
    positions.put(which, reached);
    checkStopping();
    return reached > from;
  }

  private void live(TailListener listener, BooleanSupplier done) throws IOException {
    while (!done.getAsBoolean() && !isPatienceOver()) {
      checkStopping();
      if (listener.hasOverflowed()) {
        throw new StreamClosedException(
            "SLOW_CLIENT",
            "more than %d bytes of records were waiting for this client; resume after the last event id"
                .formatted(settings.bufferBytes()));
      }
      ConsumerRecord<byte[], byte[]> record = poll(listener);
      if (record != null) {
        takeLive(listener, record);
      }
      if (listener.isEmpty()) {
        writer.flush();
      }
      writer.beat();
    }
  }

  private void takeLive(TailListener listener, ConsumerRecord<byte[], byte[]> record)
      throws IOException {
    long heldBefore = intake.heldBytes();
    ResultTopic which = sources.kindOf(record);
    if (record.offset() >= positions.get(which)) { // else it was read on the way here
      positions.put(which, record.offset() + 1);
      take(record, clock.instant());
      caughtUpWithOutcome = timeline.outcome().isPresent();
    }
    listener.handled(record.value().length - (intake.heldBytes() - heldBefore));
  }

  private void take(ConsumerRecord<byte[], byte[]> record, Instant time) throws IOException {
    if (time.isAfter(lastNews)) {
      lastNews = time;
    }
    intake.take(record);
  }

  private static ConsumerRecord<byte[], byte[]> poll(TailListener listener) {
    try {
      return listener.poll(POLL_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw stoppingNow();
    }
  }

  /**
   * After the outcome: no result for long, so that the stream ends with a note. Before: silence.
   */
  private boolean isPatienceOver() {
    if (timeline.outcome().isPresent()) {
      return !clock.instant().isBefore(lastNews.plus(settings.resultsWait()));
    }
    Instant since = lastNews.isAfter(opened) ? lastNews : opened;
    if (Duration.between(since, clock.instant()).compareTo(settings.silenceLimit()) >= 0) {
      throw new StreamClosedException(
          "SILENT",
          "nothing was heard of this request for %d s; it may be waiting, or not exist"
              .formatted(settings.silenceLimit().toSeconds()));
    }
    return false;
  }

  private void beat() {
    try {
      writer.beat();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void checkStopping() {
    if (stopping.getAsBoolean()) {
      throw stoppingNow();
    }
  }

  private static StreamClosedException stoppingNow() {
    return new StreamClosedException(
        "STOPPING", "this instance is stopping; resume at another one after the last event id");
  }
}
