package io.lensflow.bench.lane;

import io.lensflow.cli.CommandFailure;
import io.lensflow.client.LensflowClient;
import io.lensflow.client.follow.LiveEvent;
import io.lensflow.client.follow.LiveStream;
import io.lensflow.client.follow.StartingPoint;
import io.lensflow.client.follow.Subscription;
import io.lensflow.records.Capture;
import io.lensflow.records.HookPoint;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.schemas.ids.Ids;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Interactive requests that generate, each followed by the next, and a batch lane that is full or
 * empty. All that happens happens in the calls of its one caller.
 */
final class LaneLoad implements AutoCloseable {
  /** Requests of the batch lane that are kept waiting: more than its slots. */
  private static final int BACKLOG = 12;

  private static final int PROMPT_TOKENS = 16;
  private static final int NEW_TOKENS = 64;

  /** Such as an item of contrastive data. */
  private static final int BATCH_PROMPT_TOKENS = 150;

  private static final Duration POLL = Duration.ofMillis(20);
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final LensflowClient client;
  private final String model;
  private final int vocabulary;
  private final Random random = new Random(1);
  private final LiveStream events;
  private final Set<String> interactive = new HashSet<>();
  private final Set<String> batch = new HashSet<>();
  private int people;
  private boolean filled;
  private long tokens;
  private long accepted;
  private long ended;

  LaneLoad(LensflowClient client, String model) {
    this.client = client;
    this.model = model;
    this.vocabulary = client.models().awaitModel(model, PATIENCE).vocabularySize();
    this.events = client.live(Subscription.toAll(new StartingPoint.Latest()));
    events.next(Duration.ZERO);
  }

  /** So many interactive requests run at a time from now on; those that run come to their end. */
  void people(int count) {
    people = count;
    sendDue();
  }

  /** Keeps the batch lane full from now on; returns when it is in use. */
  void fillBatchLane() {
    filled = true;
    sendDue();
    long before = accepted;
    follow(() -> accepted > before);
  }

  /** Cancels what is in the batch lane, and returns when it is empty. */
  void emptyBatchLane() {
    filled = false;
    batch.forEach(id -> client.cancel(id, "the stretch is over"));
    follow(batch::isEmpty);
  }

  /** What happened in a stretch of time. */
  record Speed(double tokens, double batchRequests) {}

  /**
   * Lets all go on for a while; gives tokens/s of interactive requests and ends/s of the others.
   */
  Speed run(Duration stretch) {
    long start = System.nanoTime();
    long tokensBefore = tokens;
    long endedBefore = ended;
    follow(() -> System.nanoTime() - start >= stretch.toNanos());
    double seconds = (System.nanoTime() - start) * 1e-9;
    return new Speed((tokens - tokensBefore) / seconds, (ended - endedBefore) / seconds);
  }

  private interface Condition {
    boolean holds();
  }

  private void follow(Condition until) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!until.holds()) {
      if (System.nanoTime() > deadline) {
        throw new CommandFailure("requests of the benchmark do not come to their ends");
      }
      events.next(POLL).ifPresent(this::take);
    }
  }

  private void take(LiveEvent event) {
    String id = event.requestId();
    if (event instanceof LiveEvent.TokensGenerated generated && interactive.contains(id)) {
      tokens += generated.event().getTokens().getIds().size();
    } else if (event instanceof LiveEvent.Accepted && batch.contains(id)) {
      accepted++;
    } else if (event instanceof LiveEvent.Ended end) {
      boolean mayWait = batch.remove(id);
      boolean finished = end.event().getFinished() != null;
      if (!finished && (filled || !mayWait)) {
        throw new CommandFailure("a request did not finish: " + end.event());
      }
      interactive.remove(id);
      ended += mayWait && finished ? 1 : 0;
      sendDue();
    }
  }

  private void sendDue() {
    while (interactive.size() < people) {
      PromptRequest request = request(PROMPT_TOKENS, NEW_TOKENS);
      request.getCapture().setHookPoints(List.of());
      interactive.add(request.getRequestId());
      client.submit(request);
    }
    while (filled && batch.size() < BACKLOG) {
      PromptRequest request = request(BATCH_PROMPT_TOKENS, 0);
      batch.add(request.getRequestId());
      client.submitToBatchLane(request);
    }
  }

  /**
   * A request as a build sends them, unless it generates: rows of its last position, all layers.
   */
  private PromptRequest request(int promptTokens, int newTokens) {
    List<Integer> prompt = random.ints(promptTokens, 0, vocabulary).boxed().toList();
    return PromptRequest.newBuilder()
        .setRequestId(Ids.newId())
        .setModel(model)
        .setPrompt(Prompt.newBuilder().setTokenIds(prompt).build())
        .setMaxNewTokens(newTokens)
        .setIgnoreEos(true)
        .setCapture(
            Capture.newBuilder()
                .setHookPoints(List.of(HookPoint.RESIDUAL_POST))
                .setPositions("last_prompt")
                .build())
        .setLenses(List.of())
        .build();
  }

  @Override
  public void close() {
    events.close();
  }
}
