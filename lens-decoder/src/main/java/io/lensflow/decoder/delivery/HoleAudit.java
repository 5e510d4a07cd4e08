package io.lensflow.decoder.delivery;

import io.lensflow.decoder.loss.Ending;
import io.lensflow.decoder.loss.Endings;
import io.lensflow.decoder.loss.Loss;
import io.lensflow.decoder.loss.LossFinder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows up one hole of a partition until its cost is known: asks which requests ended, waits
 * until all that is left of their chunks is decoded and committed, asks which chunks have no
 * answer, hands these over to be reported, and begins again while requests that may have lost
 * chunks still run. Not thread-safe: the loop owns it; answers are only laid down by others.
 */
final class HoleAudit {
  private static final Logger log = LoggerFactory.getLogger(HoleAudit.class);
  private static final Duration FIRST_REST = Duration.ofSeconds(1);
  private static final Duration LONGEST_REST = Duration.ofMinutes(1);

  /** What the audit waits for. */
  private enum State {
    ENDINGS,
    DECODING,
    LOSSES,
    REPORT,
    COMMIT,
    REST
  }

  private final int partition;
  private final OffsetNote.OpenHole hole;
  private final LossFinder finder;
  private final long beganNanos;
  private final AtomicReference<Object> answer = new AtomicReference<>();
  private State state;
  private Endings endings;
  private final List<Ending> unchecked = new ArrayList<>();
  private List<Loss> losses = List.of();
  private Duration rest = FIRST_REST;
  private long restUntilNanos;

  HoleAudit(int partition, OffsetNote.OpenHole hole, LossFinder finder, long nowNanos) {
    this.partition = partition;
    this.hole = hole;
    this.finder = finder;
    this.beganNanos = nowNanos;
    ask(State.ENDINGS, finder.endings(partition, hole.sinceMillis()));
  }

  OffsetNote.OpenHole hole() {
    return hole;
  }

  /**
   * Goes on as far as it can without waiting.
   *
   * @param committedOffset everything before it is decoded and committed
   */
  void turn(long committedOffset, long nowNanos) {
    if (state == State.REST && nowNanos - restUntilNanos >= 0) {
      Set<String> open = endings == null ? Set.of() : endings.open();
      ask(
          State.ENDINGS,
          endings == null
              ? finder.endings(partition, hole.sinceMillis())
              : finder.endings(partition, open, endings.nextOffset()));
    }
    if (state == State.ENDINGS) {
      take(
          nowNanos,
          found -> {
            endings = (Endings) found;
            unchecked.addAll(endings.finished());
            state = State.DECODING;
          });
    }
    if (state == State.DECODING && committedOffset >= endings.activationsEnd()) {
      ask(State.LOSSES, finder.losses(partition, hole.sinceMillis(), unchecked));
    }
    if (state == State.LOSSES) {
      take(
          nowNanos,
          found -> {
            losses = losses(found);
            unchecked.clear();
            state = State.REPORT;
          });
    }
  }

  @SuppressWarnings("unchecked")
  private static List<Loss> losses(Object found) {
    return (List<Loss>) found;
  }

  /** Whether {@link #report} has news. */
  boolean hasReport() {
    return state == State.REPORT;
  }

  /** What was found, to be published in the open transaction. */
  List<Loss> report() {
    state = State.COMMIT;
    return losses;
  }

  /**
   * Whether nothing more can come of the hole after this report: every request that may have lost
   * chunks has ended, or had more time than requests are given.
   */
  boolean isLastReport(long nowNanos) {
    boolean late = nowNanos - beganNanos > OffsetNote.REQUEST_TIME.toNanos();
    if (late && !endings.open().isEmpty()) {
      log.warn(
          "partition {}: {} requests have not ended {} after offsets {} … {} were lost; should"
              + " they still finish, their lost chunks are not reported",
          partition,
          endings.open().size(),
          OffsetNote.REQUEST_TIME,
          hole.firstOffset(),
          hole.lastOffset());
    }
    return late || endings.open().isEmpty();
  }

  /** The transaction with the report was committed. */
  void committed(long nowNanos) {
    if (state == State.COMMIT) {
      rest(nowNanos);
    }
  }

  /** The transaction with the report was given up. */
  void aborted() {
    if (state == State.COMMIT) {
      state = State.REPORT;
    }
  }

  private void ask(State next, CompletionStage<?> question) {
    state = next;
    answer.set(null);
    question.whenComplete((found, problem) -> answer.set(problem == null ? found : problem));
  }

  private void take(long nowNanos, Consumer<Object> taker) {
    Object found = answer.getAndSet(null);
    if (found instanceof Throwable problem) {
      log.warn(
          "partition {}: the lost rows are asked for again: {}", partition, problem.toString());
      rest(nowNanos);
    } else if (found != null) {
      taker.accept(found);
    }
  }

  private void rest(long nowNanos) {
    state = State.REST;
    restUntilNanos = nowNanos + rest.toNanos();
    rest = rest.multipliedBy(2).compareTo(LONGEST_REST) < 0 ? rest.multipliedBy(2) : LONGEST_REST;
  }
}
