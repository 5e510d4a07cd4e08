package io.lensflow.worker.request;

import io.lensflow.records.LensRequest;
import io.lensflow.records.PromptRequest;
import java.time.Instant;
import java.util.List;

/**
 * A request that has been checked against the model, tokenised and resolved. Immutable but for
 * {@code source} and {@code promptIds}, which nobody changes after admission.
 *
 * @param source the request as sent
 * @param traceparent W3C trace context of the request; null if it carried none
 * @param promptIds [P] token ids of the prompt
 * @param deadline when it fails if it has not ended
 * @param lenses what the decoder is asked for, with all targets as ids
 * @param capture what is captured
 * @param maxNewTokens most tokens to generate, cut to what the context holds; 0 is prefill only
 * @param contextLimited whether the context, not the sender, set {@code maxNewTokens}
 */
public record GenerationRequest(
    PromptRequest source,
    String traceparent,
    int[] promptIds,
    Instant deadline,
    List<LensRequest> lenses,
    CaptureSpec capture,
    int maxNewTokens,
    boolean contextLimited) {
  /** The same with a deadline no later than this. */
  public GenerationRequest notAfter(Instant latest) {
    return deadline.isAfter(latest)
        ? new GenerationRequest(
            source, traceparent, promptIds, latest, lenses, capture, maxNewTokens, contextLimited)
        : this;
  }

  public String requestId() {
    return source.getRequestId();
  }

  /** P. */
  public int promptLength() {
    return promptIds.length;
  }

  /** Most tokens that are ever consumed: every one but the last generated. */
  public int maxLength() {
    return promptIds.length + Math.max(0, maxNewTokens - 1);
  }

  /** Stop strings; generation ends before the first of them. */
  public List<String> stop() {
    return source.getStop();
  }
}
