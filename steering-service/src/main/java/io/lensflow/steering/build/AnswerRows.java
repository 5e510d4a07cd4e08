package io.lensflow.steering.build;

import io.lensflow.client.ServedModel;
import io.lensflow.records.Capture;
import io.lensflow.records.ElementType;
import io.lensflow.records.HookPoint;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.steering.items.ItemPair;
import io.lensflow.steering.pipeline.Answer;
import io.lensflow.steering.pipeline.PipelineRequests;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * One pass over items for the rows at their answers: two requests an item, request 2i with the
 * matching answer and 2i+1 with the other, each read to its answer and captured there, at all sites
 * at once. Used by one thread.
 */
public final class AnswerRows {
  private final ServedModel model;
  private final List<ItemPair> pairs;
  private final List<Site> sites;
  private final Sink sink;

  /** Rows of items whose other answer has not come yet, by request. */
  private final Map<Integer, Map<Site, float[]>> halves = new HashMap<>();

  private final Set<Integer> failed = new HashSet<>();

  /** Takes items as they become whole, in any order. */
  public interface Sink {
    /**
     * Both rows of an item, by site.
     *
     * @param item which of the pairs, from 0
     * @param matching h₊ [D]
     * @param other h₋ [D]
     */
    void rows(int item, Map<Site, float[]> matching, Map<Site, float[]> other);

    /**
     * An item that has no rows; said once, and no rows come of it.
     *
     * @param reason why, in words
     */
    void failed(int item, String reason);
  }

  /**
   * @param sites every site to capture at: all layers that are named at all hook points that are
   */
  public AnswerRows(ServedModel model, List<ItemPair> pairs, List<Site> sites, Sink sink) {
    this.model = model;
    this.pairs = List.copyOf(pairs);
    this.sites = List.copyOf(sites);
    this.sink = sink;
  }

  /**
   * The pass's requests.
   *
   * @param series tells them from the job's other requests
   */
  public PipelineRequests requests(String series) {
    long rowBytes = (long) Float.BYTES * model.hiddenSize() * sites.size();
    return new PipelineRequests(
        series, 2 * pairs.size(), this::request, model.revision(), rowBytes, true);
  }

  private PromptRequest request(int index) {
    ItemPair pair = pairs.get(index / 2);
    int[] ids = index % 2 == 0 ? pair.matchingToAnswer() : pair.otherToAnswer();
    List<HookPoint> hookPoints = sites.stream().map(Site::hookPoint).distinct().toList();
    String layers =
        sites.stream()
            .map(Site::layer)
            .distinct()
            .map(String::valueOf)
            .collect(Collectors.joining(","));
    return PromptRequest.newBuilder()
        .setPrompt(Prompt.newBuilder().setTokenIds(Arrays.stream(ids).boxed().toList()).build())
        .setMaxNewTokens(0)
        .setCapture(
            Capture.newBuilder()
                .setHookPoints(hookPoints)
                .setLayers(layers)
                .setPositions("-1")
                .setDtype(ElementType.FLOAT32)
                .build())
        .setLenses(List.of())
        .build();
  }

  /** Takes an answer to one of them. */
  public void take(int index, Answer answer) {
    int item = index / 2;
    if (answer.failure().isPresent()) {
      halves.remove(2 * item);
      halves.remove(2 * item + 1);
      if (failed.add(item)) {
        sink.failed(item, "its request failed: " + answer.failure().get().getMessage());
      }
      return;
    }
    Map<Site, float[]> rows = CapturedRows.read(answer, sites, model.hiddenSize());
    Map<Site, float[]> half = halves.remove(index ^ 1);
    if (half != null) {
      sink.rows(item, index % 2 == 0 ? rows : half, index % 2 == 0 ? half : rows);
    } else if (!failed.contains(item)) {
      halves.put(index, rows);
    }
  }
}
