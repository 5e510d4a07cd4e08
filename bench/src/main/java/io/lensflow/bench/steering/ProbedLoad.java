package io.lensflow.bench.steering;

import io.lensflow.bench.timing.Timed;
import io.lensflow.cli.CommandFailure;
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
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Requests that generate all the time, and short ones between them that say when a version of a
 * vector can be used. One thread of its own follows everything that the worker says; the methods
 * are for one caller. When that thread fails, every probe does.
 */
final class ProbedLoad implements AutoCloseable {
  /** The way to the workers. {@code next} and {@code submit} are called by the follower, too. */
  interface Line extends AutoCloseable {
    void submit(PromptRequest request);

    /** The next event; empty if none came within the patience. */
    Optional<LiveEvent> next(Duration patience);

    @Override
    void close();

    /** Through a client, from now on. */
    static Line of(LensflowClient client) {
      LiveStream events = client.live(Subscription.toAll(new StartingPoint.Latest()));
      events.next(Duration.ZERO);
      return new Line() {
        @Override
        public void submit(PromptRequest request) {
          client.submit(request);
        }

        @Override
        public Optional<LiveEvent> next(Duration patience) {
          return events.next(patience);
        }

        @Override
        public void close() {
          events.close();
        }
      };
    }
  }

  /** Requests that generate at a time. */
  static final int AT_ONCE = 4;

  private static final int NEW_TOKENS = 64;
  private static final List<Integer> PROMPT = List.of(5, 6, 7, 8, 9, 10, 11, 12);
  private static final Duration POLL = Duration.ofMillis(100);
  private static final Duration JOIN = Duration.ofSeconds(10);
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Line line;
  private final String model;
  private final String vector;
  private final Thread follower;
  private final AtomicLong tokens = new AtomicLong();
  private final Map<String, CompletableFuture<Long>> probes = new ConcurrentHashMap<>();
  private volatile boolean closed;

  /** Why nobody follows any more; null while somebody does. */
  private volatile Throwable failure;

  /**
   * Begins to generate.
   *
   * @param line closed with this
   */
  ProbedLoad(Line line, String model, String vector) {
    this.line = line;
    this.model = model;
    this.vector = vector;
    this.follower = new Thread(this::follow, "bench-follower");
    follower.start();
    for (int i = 0; i < AT_ONCE; i++) {
      line.submit(request(Ids.newId(), NEW_TOKENS, List.of()));
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
    // The follower says why it fails before it looks for probes, so that none is left out.
    if (failure != null) {
      pinned.completeExceptionally(failure);
      return pinned;
    }
    line.submit(
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

  /**
   * Waits for a probe.
   *
   * @return when its version was pinned, {@link System#nanoTime}
   * @throws CommandFailure if that did not happen within two minutes, or cannot happen any more
   */
  static long await(CompletableFuture<Long> probe) {
    try {
      return probe.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new CommandFailure(
          "no worker has pinned the version of a probe within %d s".formatted(PATIENCE.toSeconds()),
          e);
    } catch (ExecutionException e) {
      throw new CommandFailure(
          "the probes of publishing cannot be followed: " + e.getCause().getMessage(),
          e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandFailure("interrupted while a probe was on its way", e);
    }
  }

  /**
   * Does something and says how many seconds a token of the load took meanwhile.
   *
   * @throws CommandFailure if none came
   */
  double secondsPerToken(Timed.Work work) throws Exception {
    long before = tokens.get();
    double seconds = Timed.whole(work).seconds();
    long came = tokens.get() - before;
    if (came == 0) {
      throw new CommandFailure(
          "the requests that generate beside publishing brought no token in %.1f s"
              .formatted(seconds));
    }
    return seconds / came;
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
    try {
      while (!closed) {
        line.next(POLL).ifPresent(this::take);
      }
    } catch (RuntimeException | Error e) {
      failure = e;
      probes.values().forEach(probe -> probe.completeExceptionally(e));
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
      line.submit(request(Ids.newId(), NEW_TOKENS, List.of()));
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
    line.close();
  }
}
