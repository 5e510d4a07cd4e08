package io.lensflow.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks wait for each other, however many there are, and none waits for one that has failed. */
@Timeout(60)
class RendezvousTest {
  private static final int ROUNDS = 500;
  private static final Consumer<Throwable> NOBODY = failure -> {};

  private static <T> List<T> run(
      int parties, IntFunction<Callable<T>> task, Consumer<Throwable> onFailure) throws Exception {
    try (RankThreads threads = new RankThreads("lensflow-rank", parties)) {
      return threads.run(task, onFailure);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void shouldLetNobodyLeaveBeforeAllHaveCome(int parties) throws Exception {
    Rendezvous rendezvous = new Rendezvous(parties);
    AtomicIntegerArray rounds = new AtomicIntegerArray(parties);
    run(parties, rank -> () -> meet(rendezvous, rounds, rank), rendezvous::breakUp);
    assertThat(rounds.toString()).matches("\\[%1$d(, %1$d)*\\]".formatted(ROUNDS));
  }

  @Test
  void shouldLetNobodyLeaveBeforeAllHaveComeWhenThereAreMoreThanProcessors() throws Exception {
    int parties = Runtime.getRuntime().availableProcessors() + 2;
    Rendezvous rendezvous = new Rendezvous(parties);
    AtomicIntegerArray rounds = new AtomicIntegerArray(parties);
    run(parties, rank -> () -> meet(rendezvous, rounds, rank), rendezvous::breakUp);
    assertThat(rounds.get(0)).isEqualTo(ROUNDS);
  }

  private static Void meet(Rendezvous rendezvous, AtomicIntegerArray rounds, int rank) {
    for (int round = 1; round <= ROUNDS; round++) {
      rounds.set(rank, round);
      rendezvous.meet();
      for (int other = 0; other < rounds.length(); other++) {
        assertThat(rounds.get(other)).isBetween(round, round + 1);
      }
    }
    return null;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3})
  void shouldReleaseTheOthersWithTheCauseWhenOneFails(int failing) {
    int parties = 4;
    Rendezvous rendezvous = new Rendezvous(parties);
    ArithmeticException cause = new ArithmeticException("out of numbers");
    assertThatThrownBy(
            () ->
                run(
                    parties,
                    rank ->
                        () -> {
                          for (int round = 0; round < ROUNDS; round++) {
                            if (rank == failing && round == ROUNDS / 2) {
                              throw cause;
                            }
                            rendezvous.meet();
                          }
                          return rank;
                        },
                    rendezvous::breakUp))
        .satisfiesAnyOf(
            failure -> assertThat(failure).isSameAs(cause),
            failure -> assertThat(failure).hasMessage("another rank failed").hasCause(cause));
    assertThat(rendezvous.broken()).isSameAs(cause);
    assertThatThrownBy(rendezvous::meet)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("another rank failed")
        .hasCause(cause);
  }

  @Test
  void shouldWaitForAllAndKeepTheInterruptWhenInterrupted() throws Exception {
    int parties = Runtime.getRuntime().availableProcessors() + 1;
    Rendezvous rendezvous = new Rendezvous(parties);
    AtomicIntegerArray rounds = new AtomicIntegerArray(parties);
    List<Boolean> interrupted =
        run(
            parties,
            rank ->
                () -> {
                  Thread.currentThread().interrupt();
                  meet(rendezvous, rounds, rank);
                  return Thread.interrupted();
                },
            rendezvous::breakUp);
    assertThat(interrupted).hasSize(parties).containsOnly(true);
    assertThat(rendezvous.broken()).isNull();
    // The caller was rank 0: its flag was cleared by the task above.
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  @Test
  void shouldGiveResultsInTheOrderOfTheRanks() throws Exception {
    Thread caller = Thread.currentThread();
    List<String> names = run(3, rank -> () -> rank + Thread.currentThread().getName(), NOBODY);
    assertThat(names)
        .containsExactly("0" + caller.getName(), "1lensflow-rank-1", "2lensflow-rank-2");
  }

  @Test
  void shouldKeepTheOtherFailuresWhenSeveralRanksFail() {
    assertThatThrownBy(
            () ->
                run(
                    3,
                    rank ->
                        () -> {
                          throw new IllegalArgumentException("rank " + rank);
                        },
                    NOBODY))
        .hasMessage("rank 0")
        .satisfies(
            failure ->
                assertThat(failure.getSuppressed())
                    .extracting(Throwable::getMessage)
                    .containsExactly("rank 1", "rank 2"));
  }
}
