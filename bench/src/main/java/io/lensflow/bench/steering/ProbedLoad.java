package io.lensflow.bench.steering;

import io.lensflow.client.LensflowClient;
import io.lensflow.client.follow.LiveEvent;
import io.lensflow.client.follow.LiveStream;
import io.lensflow.client.follow.StartingPoint;
import io.lensflow.client.follow.Subscription;
import io.lensflow.records.Capture;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.SteeringRequest;
import io.lensflow.schemas.ids.Ids;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;

/**
 * Requests that generate all the time, and short ones between them that say when a version of a
 * vector can be used. One thread of its own follows everything that the worker says; the methods
 * are for one caller.
 */
final class ProbedLoad implements AutoCloseable {
  /** Requests that generate at a time. */
  static final int AT_ONCE = 4;

  private static final int NEW_TOKENS = 64;
  private static final List<Integer> PROMPT = List.of(5, 6, 7, 8, 9, 10, 11, 12);
  private static final Duration POLL = Duration.ofMillis(100);
  private static final Duration JOIN = Duration.ofSeconds(10);

  private final LensflowClient client;
  private final String model;
  private final String vector;
  private final LiveStream events;
  private final Thread follower;
  private final AtomicLong tokens = new AtomicLong();
  private final Map<String, CompletableFuture<Long>> probes = new ConcurrentHashMap<>();
  private volatile boolean closed;

  /** Begins to generate. */
  ProbedLoad(LensflowClient client, String model, String vector) {
    this.client = client;
    this.model = model;
    this.vector = vector;
    this.events = client.live(Subscription.toAll(new StartingPoint.Latest()));
    events.next(Duration.ZERO);
    this.follower = new Thread(this::follow, "bench-follower");
    follower.start();
    for (int i = 0; i < AT_ONCE; i++) {
      client.submit(request(Ids.newId(), NEW_TOKENS, List.of()));
    }
  }

  /**
   * Sends a request for a version, published or not.
   *
   * @return when this client saw that the worker had pinned it, {@link System#nanoTime}
   */
  CompletableFuture<Long> probe(int version) {
    String id = Ids.newId();
    CompletableFuture<Long> pinned = new CompletableFuture<>();
    probes.put(id, pinned);
    client.submit(
        request(
            id,
            1,
            List.of(
                SteeringRequest.newBuilder()
                    .setName(vector)
                    .setVersion(version)
                    .setMultiplier(0.1f)
                    .build())));
    return pinned;
  }

  /** Does something {@code count} times and says how fast the load generated meanwhile. */
  double tokensPerSecond(int count, IntConsumer work) {
    long before = tokens.get();
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      work.accept(i);
    }
    return (tokens.get() - before) / ((System.nanoTime() - start) * 1e-9);
  }

  private PromptRequest request(String id, int newTokens, List<SteeringRequest> steering) {
    return PromptRequest.newBuilder()
        .setRequestId(id)
        .setModel(model)
        .setPrompt(Prompt.newBuilder().setTokenIds(PROMPT).build())
        .setMaxNewTokens(newTokens)
        .setIgnoreEos(true)
        .setCapture(Capture.newBuilder().setHookPoints(List.of()).build())
        .setLenses(List.of())
        .setSteering(steering)
        .build();
  }

  private void follow() {
    while (!closed) {
      events.next(POLL).ifPresent(this::take);
    }
  }

  private void take(LiveEvent event) {
    CompletableFuture<Long> probe = probes.get(event.requestId());
    if (event instanceof LiveEvent.Accepted && probe != null) {
      probe.complete(System.nanoTime());
    } else if (event instanceof LiveEvent.TokensGenerated generated && probe == null) {
      tokens.addAndGet(generated.event().getTokens().getIds().size());
    } else if (event instanceof LiveEvent.Ended ended) {
      end(ended.event(), probe);
    }
  }

  private void end(CompletionEvent terminal, CompletableFuture<Long> probe) {
    if (probe != null) {
      probes.remove(terminal.getRequestId());
      // Does nothing where it was accepted.
      probe.completeExceptionally(new IllegalStateException("a probe failed: " + terminal));
    } else if (!closed) {
      client.submit(request(Ids.newId(), NEW_TOKENS, List.of()));
    }
  }

  @Override
  public void close() {
    closed = true;
    try {
      follower.join(JOIN.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    events.close();
  }
}
