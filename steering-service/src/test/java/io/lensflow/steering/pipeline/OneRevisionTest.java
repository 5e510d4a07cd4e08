package io.lensflow.steering.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.Failure;
import io.lensflow.records.LensResult;
import io.lensflow.steering.vector.RefusedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OneRevisionTest {
  private final List<Answer> taken = new ArrayList<>();
  private final OneRevision r1 = new OneRevision("m", "r1", (index, answer) -> taken.add(answer));

  @Test
  void shouldHandOnWhatTheRevisionAnsweredAndHowItFailed() {
    r1.take(0, answer("r1", "r1"));
    Failure late = new Failure("DEADLINE_EXCEEDED", "no worker answered in time", null);
    r1.take(1, Answer.failed(null, late));
    assertThat(taken).hasSize(2);
  }

  @Test
  void shouldRefuseRowsOfAnotherRevision() {
    assertThatThrownBy(() -> r1.take(0, answer("r2", "r1")))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("'r1' of 'm'")
        .hasMessageContaining("'r2'");
    assertThatThrownBy(() -> r1.take(0, answer("r1", "r2"))).isInstanceOf(RefusedException.class);
    assertThat(taken).isEmpty();
  }

  @Test
  void shouldEndTheJobWhenAWorkerOfAnotherRevisionRefusesARequest() {
    Failure refused = new Failure("MODEL_NOT_SERVED", "'r2' is served", "revision");
    assertThatThrownBy(() -> r1.take(0, Answer.failed(null, refused)))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("'r2' is served");
  }

  @Test
  void shouldTakeAnyRevisionWhenNoneIsAskedFor() {
    new OneRevision("m", "", (index, answer) -> taken.add(answer)).take(0, answer("r1", "r2"));
    assertThat(taken).hasSize(1);
  }

  private static Answer answer(String ofChunk, String ofResult) {
    return new Answer(
        CompletionEvent.newBuilder().build(),
        List.of(),
        List.of(ActivationChunk.newBuilder().setRevision(ofChunk).build()),
        List.of(LensResult.newBuilder().setRevision(ofResult).build()),
        Optional.empty());
  }
}
