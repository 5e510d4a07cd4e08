package io.lensflow.decoder.delivery;

import io.lensflow.decoder.TestModel;
import io.lensflow.decoder.loss.Ending;
import io.lensflow.decoder.loss.Endings;
import io.lensflow.decoder.loss.Loss;
import io.lensflow.decoder.loss.LossFinder;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.Finished;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Answers questions about losses as a test says, and keeps them. Not thread-safe. */
final class ScriptedLosses implements LossFinder {
  /** What was asked, in order. */
  final List<String> questions = new ArrayList<>();

  /** Answer to the next question for endings, and to all after it. */
  Endings endings = new Endings(List.of(), Set.of(), 0, 0);

  /** Answer to questions for losses. */
  List<Loss> losses = List.of();

  /** Asked once, the broker is away. */
  boolean away;

  /** A request that finished with so many chunks. */
  static Ending ending(String request, int chunks) {
    return new Ending(
        CompletionEvent.newBuilder()
            .setRequestId(request)
            .setAttemptId(request + "-attempt")
            .setModel(TestModel.NAME)
            .setType(CompletionType.FINISHED)
            .setFinished(
                Finished.newBuilder().setChunks(chunks).setLenses(List.of("logit")).build())
            .build(),
        "00-trace");
  }

  @Override
  public CompletionStage<Endings> endings(int partition, long sinceMillis) {
    return answer("endings " + partition + " since " + sinceMillis, endings);
  }

  @Override
  public CompletionStage<Endings> endings(int partition, Set<String> open, long nextOffset) {
    return answer("endings " + partition + " of " + open + " from " + nextOffset, endings);
  }

  @Override
  public CompletionStage<List<Loss>> losses(
      int partition, long sinceMillis, Collection<Ending> finished) {
    List<String> requests = finished.stream().map(one -> one.event().getRequestId()).toList();
    return answer("losses " + partition + " of " + requests, losses);
  }

  private <T> CompletionStage<T> answer(String question, T answer) {
    questions.add(question);
    if (away) {
      away = false;
      return CompletableFuture.failedFuture(new IllegalStateException("the broker is away"));
    }
    return CompletableFuture.completedFuture(answer);
  }

  @Override
  public void close() {}
}
