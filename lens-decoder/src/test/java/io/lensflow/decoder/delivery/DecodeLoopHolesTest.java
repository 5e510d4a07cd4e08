package io.lensflow.decoder.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.decoder.TestChunks;
import io.lensflow.decoder.TestModel;
import io.lensflow.decoder.loss.Ending;
import io.lensflow.decoder.loss.Endings;
import io.lensflow.decoder.loss.Loss;
import io.lensflow.records.LensResult;
import io.lensflow.schemas.serde.LensflowHeaders;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the loop says of chunks that are gone. */
@Timeout(30)
class DecodeLoopHolesTest extends LoopStage {
  @Test
  void shouldReportWhichSequencesFellIntoAHole() {
    assign(P0);
    add(P0, 0, TestChunks.chunk("a", 0, 0));
    add(P0, 5, TestChunks.chunk("a", 3, 1));
    turnUntilDue(() -> results().size() == 3);

    LensResult gap = results().get(1);
    assertThat(gap.getGap().getMissingSequences()).containsExactly(1, 2);
    assertThat(gap.getGap().getFirstOffset()).isEqualTo(1);
    assertThat(gap.getGap().getLastOffset()).isEqualTo(4);
    assertThat(results().get(2).getSequence()).isEqualTo(3);
    assertThat(meters.get("lensflow.decoder.lost.records").counter().count()).isEqualTo(4);
    assertThat(committedOffsets()).containsEntry(P0, 6L);
  }

  @Test
  void shouldNoticeAtAssignmentWhatRetentionTook() {
    consumer.updateBeginningOffsets(Map.of(P0, 7L));
    consumer.updateEndOffsets(Map.of(P0, 7L));
    commit(P0, new OffsetAndMetadata(3));
    assign(P0);
    loop.turn();
    nanos += TimeUnit.SECONDS.toNanos(1);
    loop.turn();

    assertThat(meters.get("lensflow.decoder.lost.records").counter().count()).isEqualTo(4);
    assertThat(committedOffsets()).containsEntry(P0, 7L);
  }

  @Test
  void shouldReportTheLastChunksOfARequestWhenNoneFollowsTheHole() {
    Ending ended = ScriptedLosses.ending("a", 4);
    losses.endings = new Endings(List.of(ended), Set.of(), 17, 6);
    losses.losses = List.of(new Loss(ended, "logit", List.of(1, 3)));
    assign(P0);
    add(P0, 0, TestChunks.chunk("a", 0, 0));
    add(P0, 5, TestChunks.chunk("b", 0, 1));
    turnUntilDue(() -> results().size() == 3);

    LensResult gap = results().get(2);
    assertThat(gap.getRequestId()).isEqualTo("a");
    assertThat(gap.getAttemptId()).isEqualTo("a-attempt");
    assertThat(gap.getLens()).isEqualTo("logit");
    assertThat(gap.getSequence()).isEqualTo(1);
    assertThat(gap.getGap().getMissingSequences()).containsExactly(1, 3);
    assertThat(gap.getGap().getFirstOffset()).isEqualTo(1);
    assertThat(gap.getGap().getLastOffset()).isEqualTo(4);
    assertThat(meters.get("lensflow.decoder.lost.chunks").counter().count()).isEqualTo(2);
    turnUntilDue(() -> committedNote(P0).hole().isEmpty());
    turns(200);
    assertThat(results()).as("the hole is done with").hasSize(3);
  }

  @Test
  void shouldAskForLossesOnlyWhenAllThatIsLeftOfThemIsDecoded() {
    Ending ended = ScriptedLosses.ending("a", 4);
    losses.endings = new Endings(List.of(ended), Set.of(), 17, 7);
    assign(P0);
    add(P0, 5, TestChunks.chunk("b", 0, 1));
    turnUntilDue(() -> committedNote(P0).hole().isPresent());
    turns(50);
    assertThat(losses.questions).containsExactly("endings 0 since -1");

    add(P0, 6, TestChunks.chunk("a", 3, 1));
    turnUntilDue(() -> committedNote(P0).hole().isEmpty());
    assertThat(losses.questions).containsExactly("endings 0 since -1", "losses 0 of [a]");
  }

  @Test
  void shouldWaitForRequestsThatStillRunWhenAHoleIsMet() {
    losses.endings = new Endings(List.of(), Set.of("a"), 17, 1);
    assign(P0);
    add(P0, 5, TestChunks.chunk("b", 0, 1));
    turnUntilDue(() -> losses.questions.size() > 6);
    assertThat(losses.questions.get(2)).isEqualTo("endings 0 of [a] from 17");
    assertThat(committedNote(P0).hole()).isPresent();

    Ending ended = ScriptedLosses.ending("a", 2);
    losses.endings = new Endings(List.of(ended), Set.of(), 18, 1);
    losses.losses = List.of(new Loss(ended, "logit", List.of(1)));
    turnUntilDue(() -> committedNote(P0).hole().isEmpty());
    assertThat(results()).filteredOn(one -> one.getGap() != null).hasSize(1);
  }

  @Test
  void shouldReportOnceWhenTheTransactionWithTheReportFails() {
    Ending ended = ScriptedLosses.ending("a", 1);
    losses.endings = new Endings(List.of(ended), Set.of(), 17, 1);
    losses.losses = List.of(new Loss(ended, "logit", List.of(0)));
    losses.away = true;
    assign(P0);
    add(P0, 5, TestChunks.chunk("b", 0, 1));
    turnUntilDue(() -> committedNote(P0).hole().isPresent());
    commitFailure = new KafkaException("the coordinator moved");
    turnUntilDue(() -> meters.get("lensflow.decoder.transaction.aborts").counter().count() == 1);
    assertThat(results()).hasSize(1);

    commitFailure = null;
    consumer.resume(consumer.paused());
    turnUntilDue(() -> committedNote(P0).hole().isEmpty());
    turns(50);
    assertThat(results()).hasSize(2);
  }

  @Test
  void shouldGoOnWithAHoleThatAnotherDecoderLeft() {
    Ending ended = ScriptedLosses.ending("a", 1);
    losses.endings = new Endings(List.of(ended), Set.of(), 17, 1);
    losses.losses = List.of(new Loss(ended, "logit", List.of(0)));
    consumer.updateEndOffsets(Map.of(P0, 7L));
    OffsetNote note = new OffsetNote(5, Optional.of(new OffsetNote.OpenHole(2, 4, 99)));
    commit(P0, new OffsetAndMetadata(7, note.encode()));
    assign(P0);
    turnUntilDue(() -> committedNote(P0).equals(note.closed()));

    assertThat(losses.questions).first().isEqualTo("endings 0 since 99");
    assertThat(results().get(0).getGap().getFirstOffset()).isEqualTo(2);
    assertThat(committedOffsets()).containsEntry(P0, 7L);
  }

  @Test
  void shouldLookForAChunkThatCannotBeRead() {
    assign(P0);
    ConsumerRecord<byte[], byte[]> unreadable = record(P0, 0, "not a chunk", TestModel.NAME);
    unreadable.headers().add(LensflowHeaders.REQUEST, "a".getBytes(StandardCharsets.UTF_8));
    consumer.updateEndOffsets(Map.of(P0, 1L));
    consumer.addRecord(unreadable);
    turnUntilDue(() -> !losses.questions.isEmpty());

    assertThat(deadLetters()).hasSize(1);
    assertThat(losses.questions).first().isEqualTo("endings 0 since 0");
  }

  private void turns(int count) {
    for (int i = 0; i < count; i++) {
      nanos += TimeUnit.MILLISECONDS.toNanos(50);
      loop.turn();
    }
  }
}
