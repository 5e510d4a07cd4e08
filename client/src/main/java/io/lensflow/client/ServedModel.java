package io.lensflow.client;

import io.lensflow.records.WorkerHeartbeat;
import java.util.List;
import java.util.Optional;

/**
 * A model that at least one live worker serves. Immutable.
 *
 * @param name served name
 * @param revision revision of the checkpoint
 * @param layers L
 * @param hiddenSize D
 * @param vocabularySize V
 * @param maxContext most tokens of prompt and output together
 * @param tokenizerHash SHA-256 of tokenizer.json, hex
 * @param requestTopic where to send requests for it
 * @param batchTopic where to send requests that may wait behind those of people; empty if no live
 *     worker serves a batch lane
 * @param workers the newest heartbeat of each live worker that serves it, by worker name
 */
public record ServedModel(
    String name,
    String revision,
    int layers,
    int hiddenSize,
    int vocabularySize,
    int maxContext,
    String tokenizerHash,
    String requestTopic,
    Optional<String> batchTopic,
    List<WorkerHeartbeat> workers) {
  public ServedModel {
    workers = List.copyOf(workers);
  }

  /**
   * A model as its live workers describe it; where they differ the first one speaks, but one that
   * serves the batch lane alone only if there is no other.
   */
  static ServedModel of(List<WorkerHeartbeat> workers, String fallbackTopic) {
    WorkerHeartbeat first =
        workers.stream().filter(w -> !isBatchOnly(w)).findFirst().orElse(workers.get(0));
    List<String> topics = first.getRequestTopics();
    return new ServedModel(
        first.getModel(),
        first.getRevision(),
        first.getLayers(),
        first.getHiddenSize(),
        first.getVocabularySize(),
        first.getMaxContext(),
        first.getTokenizerHash(),
        topics.isEmpty() ? fallbackTopic : topics.get(0),
        workers.stream()
            .map(WorkerHeartbeat::getBatchRequestTopic)
            .filter(topic -> !topic.isEmpty())
            .findFirst(),
        workers);
  }

  private static boolean isBatchOnly(WorkerHeartbeat worker) {
    return worker.getRequestTopics().equals(List.of(worker.getBatchRequestTopic()));
  }
}
