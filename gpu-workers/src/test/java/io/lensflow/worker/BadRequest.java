package io.lensflow.worker;

import io.lensflow.records.ChatMessage;
import io.lensflow.records.HookPoint;
import io.lensflow.records.PromptRequest;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;

/** Requests that no worker can serve, with the field that is at fault. */
enum BadRequest {
  NO_PROMPT("prompt", r -> r.getPrompt().setText(null)),
  EMPTY("prompt.text", r -> r.getPrompt().setText("")),
  TWO_FORMS("prompt", r -> r.getPrompt().setTokenIds(List.of(1))),
  UNKNOWN_TOKEN(
      "prompt.tokenIds",
      r -> {
        r.getPrompt().setText(null);
        r.getPrompt().setTokenIds(List.of(1, 257));
      }),
  NO_TEMPLATE(
      "prompt.messages",
      r -> {
        r.getPrompt().setText(null);
        r.getPrompt().setMessages(List.of(new ChatMessage("user", "hello", null)));
      }),
  LAYER("capture.layers", r -> r.getCapture().setLayers("0-4")),
  HOOK_POINT("capture.hookPoints", r -> r.getCapture().setHookPoints(List.of(HookPoint.UNKNOWN))),
  POSITIONS("capture.positions", r -> r.getCapture().setPositions("everywhere")),
  TOO_LONG("prompt", r -> r.getPrompt().setText("x".repeat(ScriptedEngine.CONTEXT))),
  MODEL("model", r -> r.setModel("another")),
  REVISION("revision", r -> r.setRevision("another")),
  LENS_NAME("lenses[0].name", r -> r.getLenses().get(0).setName("no/lens")),
  TARGET("lenses[0].targetIds[0]", r -> r.getLenses().get(0).setTargetIds(List.of(1_000_000))),
  TARGET_TEXT(
      "lenses[0].targetTexts[0]",
      r -> r.getLenses().get(0).setTargetTexts(List.of("more than one token"))),
  TOP_K("lenses[0].topK", r -> r.getLenses().get(0).setTopK(100_000)),
  TEMPERATURE("sampling.temperature", r -> r.getSampling().setTemperature(Float.NaN)),
  DEADLINE("deadline", r -> r.setDeadline(Instant.now().minusSeconds(1)));

  final String field;
  final Consumer<PromptRequest> change;

  BadRequest(String field, Consumer<PromptRequest> change) {
    this.field = field;
    this.change = change;
  }
}
