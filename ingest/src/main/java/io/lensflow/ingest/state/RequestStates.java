package io.lensflow.ingest.state;

import io.lensflow.client.ModelDirectory;
import io.lensflow.client.ServedModel;
import io.lensflow.ingest.stream.LogReader;
import io.lensflow.ingest.stream.ReaderPool;
import io.lensflow.ingest.stream.StreamSources;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.schemas.topics.TopicCatalogue;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.TopicPartition;

/** Looks requests up in the log. Thread-safe. */
public final class RequestStates {
  private final StreamSources sources;
  private final ReaderPool readers;
  private final TopicCatalogue catalogue;
  private final ModelDirectory models;

  public RequestStates(
      StreamSources sources, ReaderPool readers, TopicCatalogue catalogue, ModelDirectory models) {
    this.sources = sources;
    this.readers = readers;
    this.catalogue = catalogue;
    this.models = models;
  }

  /**
   * What has become of a request. Reads the log from the time in the id to the request's outcome,
   * or to the end.
   *
   * @param since where to search from; null where the id tells, or from the beginning
   * @return empty if neither its outputs nor the request itself are found
   */
  public Optional<RequestState> find(String requestId, Instant since) throws IOException {
    return readers.use(
        reader -> {
          RequestState state = new RequestState();
          read(
              reader,
              catalogue.completions(),
              requestId,
              since,
              record -> {
                try {
                  return state.take(sources.completion(record));
                } catch (RecordFormatException e) {
                  return true; // streams log it
                }
              });
          boolean known =
              state.phase() != RequestState.Phase.QUEUED || isQueued(reader, requestId, since);
          return known ? Optional.of(state) : Optional.empty();
        });
  }

  private boolean isQueued(LogReader reader, String requestId, Instant since) throws IOException {
    Set<String> topics = new TreeSet<>(Set.of(catalogue.promptRequests()));
    models.models().stream().map(ServedModel::requestTopic).forEach(topics::add);
    AtomicBoolean found = new AtomicBoolean();
    for (String topic : topics) {
      read(
          reader,
          topic,
          requestId,
          since,
          record -> {
            found.set(true);
            return false;
          });
    }
    return found.get();
  }

  private void read(
      LogReader reader, String topic, String requestId, Instant since, LogReader.Visitor visitor)
      throws IOException {
    TopicPartition partition = sources.partition(topic, requestId, reader);
    reader.assign(Set.of(partition));
    Instant from = sources.searchFrom(requestId, since);
    long begin = reader.offsets(Set.of(partition), from).get(partition);
    reader.read(partition, begin, reader.end(partition), requestId, visitor);
  }
}
