package io.lensflow.worker.scheduling;

import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.generation.Sampler;
import io.lensflow.records.FinishReason;
import io.lensflow.text.StreamingDetokenizer;
import io.lensflow.text.Tokenizer;
import io.lensflow.worker.publishing.StepRows;
import io.lensflow.worker.ranks.StepPlan;
import io.lensflow.worker.ranks.StepResult;
import io.lensflow.worker.request.Run;
import java.time.Instant;
import java.util.Arrays;
import java.util.Set;

/**
 * Progress of one run: which tokens were consumed, which were generated, and the text that they
 * make. Owned by the scheduler; not thread-safe.
 *
 * <p>A pass consumes the prompt in chunks, from where another sequence has it in common, then each
 * generated token but the last, so that a run of P prompt and G generated tokens has P+G−1 rows.
 */
final class Generation {
  private final Run run;
  private final long sequence;
  private final Sampler sampler;
  private final StreamingDetokenizer detokenizer;
  private final StopStrings stops;
  private final StringBuilder text = new StringBuilder();
  private final Set<Integer> endIds;

  private Announcement announcement = Announcement.DUE;
  private long turn = -1;
  private StepPlan.Prefix prefix;
  private int consumed;
  private int generated;
  private int lastToken = -1;
  private FinishReason finishReason;
  private String stopString;
  private Instant heldUpSince;
  private Instant admittedAt;
  private Instant firstTokenAt;
  private Instant lastTokenAt;

  /**
   * @param run what to generate
   * @param sequence the number under which the engine knows it
   * @param tokenizer the model's tokenizer
   * @param endIds the checkpoint's end-of-sequence ids
   */
  Generation(Run run, long sequence, Tokenizer tokenizer, Set<Integer> endIds) {
    this.run = run;
    this.sequence = sequence;
    this.sampler = Samplers.of(run.request());
    this.detokenizer = tokenizer.streaming();
    this.stops = new StopStrings(run.request().stop());
    this.endIds = run.request().source().getIgnoreEos() ? Set.of() : endIds;
  }

  /** How far the record is that says that the attempt begins. */
  private enum Announcement {
    DUE,
    SENT,
    DURABLE
  }

  /**
   * A token that was chosen.
   *
   * @param position its absolute position, P for the first
   * @param id token id
   * @param text text that it completes, after stop strings
   * @param logProb its natural log-probability under the model's raw softmax
   */
  record Token(int position, int id, String text, float logProb) {}

  /**
   * What a step meant for this run.
   *
   * @param token the token chosen; null while the prompt is being read, and for prefill only
   * @param rows what the publisher gets
   */
  record Progress(Token token, StepRows rows) {}

  Run run() {
    return run;
  }

  long sequence() {
    return sequence;
  }

  /** Whether it may run: the record that says that its attempt begins is durable. */
  boolean isAnnounced() {
    return announcement == Announcement.DURABLE;
  }

  /** Whether that record is to be written now; true once, and again after a failure. */
  boolean takeAnnouncement() {
    boolean due = announcement == Announcement.DUE;
    announcement = due ? Announcement.SENT : announcement;
    return due;
  }

  /** The record was written, or could not be. */
  void announced(boolean written) {
    announcement = written ? Announcement.DURABLE : Announcement.DUE;
  }

  /**
   * The prompt position from which on rows must be computed: the first that is captured, the last
   * of the prompt at the latest, since the first token is chosen from it.
   */
  int firstComputed() {
    int last = run.request().promptLength() - 1;
    CapturePlan capture = run.request().capture().plan();
    return capture.isEmpty()
        ? last
        : capture.positions().firstSelected(last, run.request().promptLength());
  }

  /**
   * It is about to join, and begins with another's tokens; or, if {@code shared} is null, with its
   * own. Chosen anew whenever it has not been let in.
   */
  void begin(StepPlan.Prefix shared) {
    prefix = shared;
    consumed = shared == null ? 0 : shared.tokenIds().length;
  }

  /** Tokens that its sequence holds, taken over or read; once it has joined. */
  int consumed() {
    return consumed;
  }

  /** The sequence as the engine opens it. */
  StepPlan.Open open() {
    return new StepPlan.Open(
        sequence,
        run.request().promptLength(),
        run.request().maxLength(),
        run.request().capture().plan(),
        run.steering().uses(),
        prefix);
  }

  /** Gives it a turn to have its prompt read, if it has none. */
  void queue(long number) {
    turn = turn < 0 ? number : turn;
  }

  /** Tokens of it were planned: it goes to the end of the queue. */
  void served(long number) {
    turn = number;
  }

  /** Prompts are read in the order of their turns, lowest first. */
  long turn() {
    return turn;
  }

  /** Prompt tokens still to be consumed. */
  int promptLeft() {
    return Math.max(0, run.request().promptLength() - consumed);
  }

  /** Whether prompt tokens are still to be consumed. */
  boolean inPrefill() {
    return consumed < run.request().promptLength();
  }

  /**
   * The next tokens to consume.
   *
   * @param budget most tokens, at least 1
   */
  StepPlan.Feed feed(int budget) {
    int[] prompt = run.request().promptIds();
    if (!inPrefill()) {
      return new StepPlan.Feed(sequence, new int[] {lastToken}, sampler.needs());
    }
    int end = Math.min(prompt.length, consumed + budget);
    return new StepPlan.Feed(
        sequence,
        Arrays.copyOfRange(prompt, consumed, end),
        end == prompt.length ? sampler.needs() : Logits.NONE);
  }

  /**
   * Takes the output of the step for which {@code fed} was planned.
   *
   * @param now the time of the step's end
   */
  Progress advance(StepPlan.Feed fed, StepResult.Output output, Instant now) {
    int first = consumed;
    consumed += fed.tokenIds().length;
    int[] prompt = run.request().promptIds();
    if (inPrefill()) {
      return new Progress(null, rows(first, fed, prompt[consumed], output));
    }
    if (firstTokenAt == null) {
      firstTokenAt = now;
    }
    lastTokenAt = now;
    if (run.request().maxNewTokens() == 0) {
      finishReason = FinishReason.PREFILL_ONLY;
      return new Progress(null, rows(first, fed, null, output));
    }
    int id = sampler.next(output.logits(), output.summary(), consumed);
    Token token = new Token(consumed, id, accept(id), sampler.logProbability());
    return new Progress(token, rows(first, fed, id, output));
  }

  private static StepRows rows(
      int first, StepPlan.Feed fed, Integer nextId, StepResult.Output output) {
    return new StepRows(
        first, fed.tokenIds(), nextId, output.summary(), output.rows(), output.finalRows());
  }

  /** Appends a token; returns the text that may leave with it. */
  private String accept(int id) {
    lastToken = id;
    generated++;
    StopStrings.Passed passed = stops.offer(detokenizer.append(id));
    String out = passed.text();
    if (passed.stop() != null) {
      finishReason = FinishReason.STOP_STRING;
      stopString = passed.stop();
    } else if (endIds.contains(id)) {
      finishReason = FinishReason.EOS;
    } else if (generated == run.request().maxNewTokens()) {
      finishReason =
          run.request().contextLimited()
              ? FinishReason.CONTEXT_LENGTH
              : FinishReason.MAX_NEW_TOKENS;
    }
    if (finishReason != null && stopString == null) {
      out += flush();
    }
    text.append(out);
    return out;
  }

  /** The end of the text: a character that stayed incomplete, and what was held back. */
  private String flush() {
    StopStrings.Passed passed = stops.offer(detokenizer.finish());
    if (passed.stop() != null) {
      finishReason = FinishReason.STOP_STRING;
      stopString = passed.stop();
      return passed.text();
    }
    return passed.text() + stops.finish();
  }

  /** Since when others have kept it from joining: from now on, if they have not until now. */
  Instant heldUpSince(Instant now) {
    heldUpSince = heldUpSince == null ? now : heldUpSince;
    return heldUpSince;
  }

  void admitted(Instant at) {
    admittedAt = at;
  }

  Instant admittedAt() {
    return admittedAt;
  }

  /** When the prompt was consumed and the first token chosen; null before. */
  Instant firstTokenAt() {
    return firstTokenAt;
  }

  Instant lastTokenAt() {
    return lastTokenAt;
  }

  boolean isFinished() {
    return finishReason != null;
  }

  FinishReason finishReason() {
    return finishReason;
  }

  String stopString() {
    return stopString;
  }

  /** G so far. */
  int generatedTokens() {
    return generated;
  }

  String text() {
    return text.toString();
  }
}
