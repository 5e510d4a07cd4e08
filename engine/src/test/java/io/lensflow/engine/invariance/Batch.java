package io.lensflow.engine.invariance;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.engine.Engine;
import io.lensflow.engine.KvCapacityException;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.lens.HeadSummary;
import io.lensflow.engine.steering.PreparedVector;
import io.lensflow.engine.steering.SteeringSite;
import io.lensflow.text.spec.PositionSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Runs requests side by side: they come, wait for room, share steps in any order, and go. */
final class Batch {
  private static final int MOST_STEPS = 10_000;

  private final Engine engine;
  private final Random random;
  private final List<Client> waiting = new ArrayList<>();
  private final List<Client> running = new ArrayList<>();

  private Batch(Engine engine, Random random) {
    this.engine = engine;
    this.random = random;
  }

  /**
   * Runs requests to their ends.
   *
   * @param random who takes part in a step, in which order
   * @return what each got, in order
   */
  static List<Transcript> run(Engine engine, List<Request> requests, Random random) {
    Batch batch = new Batch(engine, random);
    List<Client> clients = new ArrayList<>();
    requests.forEach(request -> clients.add(batch.new Client(request)));
    batch.waiting.addAll(clients);
    try {
      for (int step = 0; !batch.waiting.isEmpty() || !batch.running.isEmpty(); step++) {
        assertThat(step).as("steps of a batch that does not end").isLessThan(MOST_STEPS);
        batch.admit(step);
        batch.step();
      }
    } finally {
      clients.forEach(Client::close);
    }
    return clients.stream().map(client -> client.transcript).toList();
  }

  /**
   * What a request's tokens give all at once, in one chunk.
   *
   * @param tokens those that were chosen before, of which the last is not consumed
   */
  static Transcript inOneChunk(Engine engine, Request request, List<Integer> tokens) {
    int p = request.prompt().length;
    int[] ids = Arrays.copyOf(request.prompt(), p + Math.max(0, tokens.size() - 1));
    for (int i = p; i < ids.length; i++) {
      ids[i] = tokens.get(i - p);
    }
    Client client = new Batch(engine, new Random()).new Client(request);
    try {
      client.open();
      StepInput input = new StepInput(client.sequence, ids, Logits.ALL);
      client.transcript.add(engine.step(List.of(input)).get(0), ids.length - 1);
      return client.transcript;
    } finally {
      client.close();
    }
  }

  private void admit(int step) {
    for (Client client : List.copyOf(waiting)) {
      if (client.request.arrival() <= step && client.open()) {
        waiting.remove(client);
        running.add(client);
      }
    }
  }

  private void step() {
    Collections.shuffle(running, random);
    List<Client> taking = new ArrayList<>(running);
    taking.removeIf(client -> !client.fresh && random.nextInt(6) == 0);
    List<StepInput> inputs = taking.stream().map(Client::next).toList();
    List<StepOutput> outputs = engine.step(inputs);
    assertThat(outputs).hasSameSizeAs(inputs);
    for (int i = 0; i < outputs.size(); i++) {
      taking.get(i).take(outputs.get(i));
    }
    running.removeIf(Client::goes);
  }

  /** A request that waits or runs. */
  private final class Client implements AutoCloseable {
    private final Request request;
    private final Transcript transcript;
    private final List<PreparedVector> vectors = new ArrayList<>();
    private Sequence sequence;
    private int chunk;

    /** Whether it has still to take over what its source may give up with the next step. */
    private boolean fresh;

    Client(Request request) {
      this.request = request;
      this.transcript = new Transcript(engine.config().vocabularySize());
    }

    /** Whether there was room. */
    boolean open() {
      List<SteeringSite> sites = new ArrayList<>();
      for (Request.Site site : request.steering()) {
        PreparedVector vector = engine.prepare(site.vector(engine.config().hiddenSize()));
        vectors.add(vector);
        sites.add(
            new SteeringSite(
                vector,
                site.layer(),
                site.hookPoint(),
                site.operation(),
                site.multiplier(),
                PositionSpec.parse(site.positions()),
                site.preserveNorm()));
      }
      SequenceOptions options =
          new SequenceOptions(request.prompt().length, request.rows(), request.capture(), sites);
      try {
        sequence = random.nextBoolean() ? begun(options) : engine.open(options);
        return true;
      } catch (KvCapacityException e) {
        close();
        return false;
      }
    }

    /** One that begins with what another has consumed, if there is one. */
    private Sequence begun(SequenceOptions options) {
      for (Client other : running) {
        if (other.fresh) {
          continue;
        }
        int shared = Arrays.mismatch(request.prompt(), other.request.prompt());
        int most = Math.min(shared < 0 ? request.prompt().length : shared, other.sequence.length());
        int begin = 0;
        int chunks = 0;
        while (chunks < request.chunks().length && begin + request.chunks()[chunks] <= most) {
          begin += request.chunks()[chunks++];
        }
        if (begin > 0 && begin < Math.min(request.prompt().length, request.cancelledAfter())) {
          try {
            Sequence forked = engine.fork(other.sequence, begin, options);
            chunk = chunks;
            fresh = true;
            transcript.beginsAt(begin);
            return forked;
          } catch (IllegalArgumentException e) {
            // What is captured or steered does not allow it.
            continue;
          }
        }
      }
      return engine.open(options);
    }

    StepInput next() {
      int at = sequence.length();
      int p = request.prompt().length;
      if (at >= p) {
        return new StepInput(
            sequence, new int[] {transcript.tokens().get(at - p)}, request.logits());
      }
      int end = at + request.chunks()[chunk++];
      Logits wanted = end < p && request.logits() != Logits.ALL ? Logits.NONE : request.logits();
      return new StepInput(sequence, Arrays.copyOfRange(request.prompt(), at, end), wanted);
    }

    void take(StepOutput output) {
      assertThat(output.sequence()).isSameAs(sequence);
      fresh = false;
      transcript.add(output, sequence.length() - 1);
      if (sequence.length() >= request.prompt().length
          && transcript.tokens().size() < request.newTokens()) {
        HeadSummary summary = output.summary();
        transcript.add(summary.topId(), summary);
      }
    }

    /** Whether it has all that it wants: then its blocks are free at once. */
    boolean goes() {
      boolean over = sequence.length() >= request.cancelledAfter();
      if (over) {
        close();
      }
      return over;
    }

    @Override
    public void close() {
      if (sequence != null) {
        sequence.close();
      }
      vectors.forEach(PreparedVector::close);
      vectors.clear();
    }
  }
}
