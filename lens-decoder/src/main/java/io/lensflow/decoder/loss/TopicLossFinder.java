package io.lensflow.decoder.loss;

import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.Finished;
import io.lensflow.records.LensResult;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.schemas.topics.TopicCatalogue;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@link LossFinder} that reads the topics, on a thread of its own that does nothing until a hole
 * is met.
 *
 * <p>Only headers are looked at but for ends of requests, and for results of attempts in question.
 * Memory: the ids of the requests that had an event in the time in question.
 */
public final class TopicLossFinder implements LossFinder {
  private static final Logger log = LoggerFactory.getLogger(TopicLossFinder.class);
  private static final String EVENT = "CompletionEvent.";
  private static final Set<String> TERMINAL =
      Set.of(
          EVENT + CompletionType.FINISHED,
          EVENT + CompletionType.FAILED,
          EVENT + CompletionType.CANCELLED);

  private final String model;
  private final TopicCatalogue topics;
  private final RangeReader reader;
  private final Deserializer<CompletionEvent> events;
  private final Deserializer<LensResult> results;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread made = new Thread(task, "lens-decoder-losses");
            made.setDaemon(true);
            return made;
          });

  /**
   * @param model served name; requests of others are none of ours
   * @param reader used by this finder's thread alone, and closed with it
   */
  public TopicLossFinder(
      String model,
      TopicCatalogue topics,
      RangeReader reader,
      Deserializer<CompletionEvent> events,
      Deserializer<LensResult> results) {
    this.model = model;
    this.topics = topics;
    this.reader = reader;
    this.events = events;
    this.results = results;
  }

  @Override
  public CompletionStage<Endings> endings(int partition, long sinceMillis) {
    return CompletableFuture.supplyAsync(
        () -> {
          TopicPartition completions = new TopicPartition(topics.completions(), partition);
          return endings(completions, reader.offsetAt(completions, sinceMillis), null);
        },
        thread);
  }

  @Override
  public CompletionStage<Endings> endings(int partition, Set<String> open, long nextOffset) {
    return CompletableFuture.supplyAsync(
        () -> endings(new TopicPartition(topics.completions(), partition), nextOffset, open),
        thread);
  }

  /** Reads from an offset on; with {@code wanted} null every request of the model counts. */
  private Endings endings(TopicPartition completions, long from, Set<String> wanted) {
    Set<String> open = new HashSet<>(wanted == null ? Set.of() : wanted);
    Set<String> ended = new HashSet<>();
    List<Ending> finished = new ArrayList<>();
    long next =
        reader.read(
            completions,
            from,
            record -> {
              String request = header(record, LensflowHeaders.REQUEST);
              boolean ours =
                  wanted == null
                      ? header(record, LensflowHeaders.MODEL).equals(model)
                      : wanted.contains(request);
              if (!ours || ended.contains(request)) {
                return;
              }
              String type = header(record, LensflowHeaders.TYPE);
              if (!TERMINAL.contains(type)) {
                open.add(request);
                return;
              }
              open.remove(request);
              ended.add(request);
              if (type.equals(EVENT + CompletionType.FINISHED)) {
                note(record, finished);
              }
            });
    TopicPartition activations = new TopicPartition(topics.activations(), completions.partition());
    return new Endings(finished, open, next, reader.end(activations));
  }

  private void note(ConsumerRecord<byte[], byte[]> record, List<Ending> finished) {
    CompletionEvent event = decode(record, events);
    Finished end = event == null ? null : event.getFinished();
    boolean owed = end != null && (end.getLenses() == null || !end.getLenses().isEmpty());
    if (owed && end.getChunks() > 0) {
      String trace =
          LensflowHeaders.get(record.headers(), LensflowHeaders.TRACEPARENT).orElse(null);
      finished.add(new Ending(event, trace));
    }
  }

  @Override
  public CompletionStage<List<Loss>> losses(
      int partition, long sinceMillis, Collection<Ending> finished) {
    return CompletableFuture.supplyAsync(
        () -> losses(new TopicPartition(topics.lensResults(), partition), sinceMillis, finished),
        thread);
  }

  private List<Loss> losses(
      TopicPartition lensResults, long sinceMillis, Collection<Ending> finished) {
    Map<String, Map<String, BitSet>> answered = new HashMap<>();
    finished.forEach(one -> answered.put(one.event().getAttemptId(), new HashMap<>()));
    reader.read(
        lensResults,
        reader.offsetAt(lensResults, sinceMillis),
        record -> {
          Map<String, BitSet> lenses = answered.get(header(record, LensflowHeaders.ATTEMPT));
          LensResult result = lenses == null ? null : decode(record, results);
          if (result != null) {
            BitSet sequences = lenses.computeIfAbsent(result.getLens(), lens -> new BitSet());
            if (result.getGap() == null) {
              // All parts of a chunk are published in one transaction: one stands for all.
              sequences.set(result.getSequence());
            } else {
              result.getGap().getMissingSequences().forEach(sequences::set);
            }
          }
        });
    List<Loss> losses = new ArrayList<>();
    for (Ending ending : finished) {
      losses.addAll(missing(ending, answered.get(ending.event().getAttemptId())));
    }
    return losses;
  }

  private static List<Loss> missing(Ending ending, Map<String, BitSet> answered) {
    Finished finished = ending.event().getFinished();
    Function<BitSet, List<Integer>> rest =
        sequences ->
            IntStream.range(0, finished.getChunks())
                .filter(s -> !sequences.get(s))
                .boxed()
                .toList();
    // A gap that names no lens is one under every lens.
    BitSet underAll = answered.getOrDefault("", new BitSet());
    List<String> lenses = finished.getLenses();
    if (lenses == null) {
      lenses = answered.isEmpty() ? List.of("") : List.copyOf(answered.keySet());
    }
    List<Loss> losses = new ArrayList<>();
    for (String lens : lenses) {
      BitSet own = (BitSet) answered.getOrDefault(lens, new BitSet()).clone();
      own.or(underAll);
      List<Integer> missing = rest.apply(own);
      if (!missing.isEmpty()) {
        losses.add(new Loss(ending, lens, missing));
      }
    }
    return losses;
  }

  private static <T> T decode(ConsumerRecord<byte[], byte[]> record, Deserializer<T> deserializer) {
    try {
      return deserializer.deserialize(record.topic(), record.value());
    } catch (RecordFormatException e) {
      log.warn(
          "{}-{} at {} cannot be read and is passed over: {}",
          record.topic(),
          record.partition(),
          record.offset(),
          e.getMessage());
      return null;
    }
  }

  private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
    return LensflowHeaders.get(record.headers(), name).orElse("");
  }

  /** Gives up what is being read. */
  @Override
  public void close() {
    reader.stop();
    thread.execute(reader::close);
    thread.shutdown();
  }
}
