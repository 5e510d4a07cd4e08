package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.engine.capture.HookPoint;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.schemas.serde.LensflowHeaders;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.zip.CRC32C;

/** What a chunk of activations must hold to decode by itself. */
final class CapturedChunks {
  private CapturedChunks() {}

  /** Positions that the chunks of a hook point hold, in order. */
  static SortedSet<Integer> positions(
      List<Traffic.Seen<ActivationChunk>> chunks, io.lensflow.records.HookPoint hookPoint) {
    SortedSet<Integer> positions = new TreeSet<>();
    chunks.stream()
        .map(Traffic.Seen::value)
        .filter(chunk -> chunk.getHookPoint() == hookPoint)
        .forEach(chunk -> positions.addAll(chunk.getPositions()));
    return positions;
  }

  /**
   * Holds a chunk of layers 0 and 2 to what the scripted engine captures, with its final rows.
   *
   * @param end of the request, whose prompt is one token per byte
   */
  static void check(Traffic.Seen<ActivationChunk> seen, String prompt, CompletionEvent end) {
    ActivationChunk chunk = seen.value();
    HookPoint hookPoint = HookPoint.valueOf(chunk.getHookPoint().name());
    String text = prompt + end.getFinished().getText();
    byte[] ids = text.getBytes(StandardCharsets.UTF_8);
    assertThat(chunk.getAttemptId()).isEqualTo(end.getAttemptId());
    assertThat(chunk.getLabels()).containsEntry("run", "7");
    assertThat(chunk.getRevision()).isEqualTo("scripted-1");
    assertThat(chunk.getLayers()).containsExactly(0, 2);
    assertThat(chunk.getShape())
        .containsExactly(2, chunk.getPositions().size(), ScriptedEngine.HIDDEN);
    ByteBuffer payload = chunk.getPayload().duplicate().order(ByteOrder.LITTLE_ENDIAN);
    CRC32C crc = new CRC32C();
    crc.update(chunk.getPayload().duplicate());
    for (int layer : chunk.getLayers()) {
      for (int position : chunk.getPositions()) {
        for (int i = 0; i < ScriptedEngine.HIDDEN; i++) {
          assertThat(payload.getFloat())
              .isEqualTo(ScriptedEngine.value(layer, position, hookPoint));
        }
      }
    }
    assertThat(payload.hasRemaining()).isFalse();
    // KL needs the model's own distribution, and neither hook point holds layer 3 here.
    ByteBuffer finalRow = chunk.getFinalRow().duplicate().order(ByteOrder.LITTLE_ENDIAN);
    crc.update(chunk.getFinalRow().duplicate());
    for (int position : chunk.getPositions()) {
      assertThat(finalRow.getFloat())
          .isEqualTo(ScriptedEngine.value(3, position, HookPoint.RESIDUAL_POST));
      finalRow.position(finalRow.position() + (ScriptedEngine.HIDDEN - 1) * Float.BYTES);
    }
    assertThat(chunk.getCrc32c()).isEqualTo(crc.getValue());
    for (int i = 0; i < chunk.getPositions().size(); i++) {
      int position = chunk.getPositions().get(i);
      assertThat(chunk.getTokenIds().get(i)).isEqualTo(ids[position]);
      assertThat(chunk.getNextTokenIds().get(i)).isEqualTo(ids[position + 1]);
      boolean headRan = position >= end.getFinished().getPromptTokens() - 1;
      assertThat(chunk.getModelTopIds().get(i) != null).isEqualTo(headRan);
    }
    assertThat(LensflowHeaders.get(seen.record().headers(), LensflowHeaders.ATTEMPT))
        .contains(end.getAttemptId());
    assertThat(new String(seen.record().key(), StandardCharsets.UTF_8))
        .isEqualTo(chunk.getRequestId());
  }
}
