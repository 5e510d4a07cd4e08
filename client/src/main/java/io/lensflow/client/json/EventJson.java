package io.lensflow.client.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.lensflow.records.AppliedSteering;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.Failure;
import io.lensflow.records.Finished;
import io.lensflow.records.Gap;
import io.lensflow.records.LensResult;
import io.lensflow.records.ProjectionMetrics;
import io.lensflow.records.TargetMetrics;
import io.lensflow.records.Timings;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * Events of a request as JSON objects, one a line, without line breaks inside. Every object has
 * {@code type}, {@code request} and {@code attempt} (a UUID: the numbers that people read can
 * repeat after a crash, ids do not). Numbers that JSON cannot say (NaN, infinite) are null.
 * Stateless and thread-safe.
 *
 * <p>Written with a streaming generator because there is one lens object per row and layer: they
 * are by far the most frequent thing that a gateway or a terminal makes.
 */
public final class EventJson {
  private static final JsonFactory JSON = new JsonFactory();

  private EventJson() {}

  /**
   * {@code {"type": "token", "request", "attempt", "model", "position", "id", "text"}}, and {@code
   * logProb} where it was asked for.
   *
   * @param event of type TOKENS
   * @param index which of its tokens, from 0
   */
  public static String token(CompletionEvent event, int index) {
    return object(
        "token",
        out -> {
          head(out, event);
          out.writeStringField("model", event.getModel());
          out.writeNumberField("position", event.getTokens().getPositions().get(index));
          out.writeNumberField("id", event.getTokens().getIds().get(index));
          out.writeStringField("text", event.getTokens().getTexts().get(index));
          if (event.getTokens().getLogProbs() != null) {
            number(out, "logProb", event.getTokens().getLogProbs().get(index));
          }
        });
  }

  /**
   * {@code {"type": "lens", "request", "attempt", "model", "lens", "hookPoint", "layer",
   * "position", "tokenId", "top": [{"id", "text", "logit", "probability"}], "entropy", "logSumExp",
   * "steering"}}, and where they were asked for {@code "targets": [{"id", "text", "logit",
   * "logProbability", "rank"}]}, {@code kl}, {@code js}, {@code "projections": [{"vector", "dot",
   * "cosine"}]}.
   *
   * @param result not a gap
   * @param layerIndex index into the result's layers
   * @param positionIndex index into the result's positions
   */
  public static String lens(LensResult result, int layerIndex, int positionIndex) {
    int cell = layerIndex * result.getPositions().size() + positionIndex;
    return object(
        "lens",
        out -> {
          head(out, result);
          out.writeNumberField("layer", result.getLayers().get(layerIndex));
          out.writeNumberField("position", result.getPositions().get(positionIndex));
          out.writeNumberField("tokenId", result.getTokenIds().get(positionIndex));
          top(out, result, cell);
          cell(out, "entropy", result.getEntropy(), cell);
          cell(out, "logSumExp", result.getLogSumExp(), cell);
          if (result.getTargets() != null) {
            targets(out, result.getTargets(), cell);
          }
          if (result.getKl() != null) {
            cell(out, "kl", result.getKl(), cell);
          }
          if (result.getJs() != null) {
            cell(out, "js", result.getJs(), cell);
          }
          if (result.getProjections() != null) {
            projections(out, result.getProjections(), cell);
          }
          steering(out, result.getSteering());
        });
  }

  /**
   * {@code {"type": "gap", "request", "attempt", "model", "lens", "hookPoint", "missingSequences",
   * "firstOffset", "lastOffset", "reason"}}: rows that no lens will ever see.
   *
   * @param result one whose gap is set
   */
  public static String gap(LensResult result) {
    Gap gap = result.getGap();
    return object(
        "gap",
        out -> {
          head(out, result);
          out.writeFieldName("missingSequences");
          out.writeStartArray();
          for (int sequence : gap.getMissingSequences()) {
            out.writeNumber(sequence);
          }
          out.writeEndArray();
          out.writeNumberField("firstOffset", gap.getFirstOffset());
          out.writeNumberField("lastOffset", gap.getLastOffset());
          out.writeStringField("reason", gap.getReason());
        });
  }

  /**
   * {@code {"type": "restarted", "request", "attempt"}}: another attempt has begun; what the
   * attempts before it said counts only if one of them still ends first.
   *
   * @param attempt its UUID
   */
  public static String restarted(String request, String attempt) {
    return object("restarted", out -> head(out, request, attempt));
  }

  /**
   * {@code {"type": "finished", "request", "attempt", "model", "reason", "text", "stopString",
   * "promptTokens", "generatedTokens", "chunks", "rows", "droppedRows", "queuedMicros",
   * "prefillMicros", "decodeMicros", "totalMicros"}}.
   *
   * @param event of type FINISHED
   * @param note field {@code note}: what the stream could not deliver; null leaves it out
   */
  public static String finished(CompletionEvent event, String note) {
    Finished finished = event.getFinished();
    Timings timings = finished.getTimings();
    return object(
        "finished",
        out -> {
          head(out, event);
          out.writeStringField("model", event.getModel());
          out.writeStringField("reason", finished.getReason().name());
          out.writeStringField("text", finished.getText());
          out.writeStringField("stopString", finished.getStopString());
          out.writeNumberField("promptTokens", finished.getPromptTokens());
          out.writeNumberField("generatedTokens", finished.getGeneratedTokens());
          out.writeNumberField("chunks", finished.getChunks());
          out.writeNumberField("rows", finished.getRows());
          out.writeNumberField("droppedRows", finished.getDroppedRows());
          out.writeNumberField("queuedMicros", timings.getQueuedMicros());
          out.writeNumberField("prefillMicros", timings.getPrefillMicros());
          out.writeNumberField("decodeMicros", timings.getDecodeMicros());
          out.writeNumberField("totalMicros", timings.getTotalMicros());
          if (note != null) {
            out.writeStringField("note", note);
          }
        });
  }

  /**
   * {@code {"type": "attemptFailed", "request", "attempt", "model", "error": {"code", "message",
   * "field"}}}: another attempt follows, or the request fails.
   *
   * @param event of type ATTEMPT_FAILED
   */
  public static String attemptFailed(CompletionEvent event) {
    return failure("attemptFailed", event);
  }

  /**
   * {@code {"type": "failed", "request", "attempt", "model", "error": {"code", "message",
   * "field"}}}.
   *
   * @param event of type FAILED, or of another that carries a failure
   */
  public static String failed(CompletionEvent event) {
    return failure("failed", event);
  }

  /**
   * {@code {"type": "failed", "request", "error": {"code", "message", "field"}}}: a failure that no
   * worker reported, but the one who follows.
   */
  public static String failed(String request, String code, String message) {
    return object(
        "failed",
        out -> {
          out.writeStringField("request", request);
          error(out, new Failure(code, message, null));
        });
  }

  private static String failure(String type, CompletionEvent event) {
    return object(
        type,
        out -> {
          head(out, event);
          out.writeStringField("model", event.getModel());
          error(out, event.getFailure());
        });
  }

  private static void error(JsonGenerator out, Failure failure) throws IOException {
    out.writeObjectFieldStart("error");
    out.writeStringField("code", failure == null ? "UNKNOWN" : failure.getCode());
    out.writeStringField("message", failure == null ? "" : failure.getMessage());
    out.writeStringField("field", failure == null ? null : failure.getField());
    out.writeEndObject();
  }

  /**
   * {@code {"type": "cancelled", "request", "attempt", "model", "reason"}}.
   *
   * @param event of type CANCELLED
   */
  public static String cancelled(CompletionEvent event) {
    return object(
        "cancelled",
        out -> {
          head(out, event);
          out.writeStringField("model", event.getModel());
          out.writeStringField(
              "reason", event.getFailure() == null ? "" : event.getFailure().getMessage());
        });
  }

  /**
   * A terminal event: {@link #finished}, {@link #failed} or {@link #cancelled}.
   *
   * @throws IllegalArgumentException if the event's type is not terminal
   */
  public static String terminal(CompletionEvent event, String note) {
    return switch (event.getType()) {
      case FINISHED -> finished(event, note);
      case FAILED -> failed(event);
      case CANCELLED -> cancelled(event);
      default -> throw new IllegalArgumentException(event.getType() + " ends no request");
    };
  }

  private static void head(JsonGenerator out, CompletionEvent event) throws IOException {
    head(out, event.getRequestId(), event.getAttemptId());
  }

  private static void head(JsonGenerator out, LensResult result) throws IOException {
    head(out, result.getRequestId(), result.getAttemptId());
    out.writeStringField("model", result.getModel());
    out.writeStringField("lens", result.getLens());
    out.writeStringField("hookPoint", result.getHookPoint().name());
  }

  private static void head(JsonGenerator out, String request, String attempt) throws IOException {
    out.writeStringField("request", request);
    out.writeStringField("attempt", attempt);
  }

  private static void top(JsonGenerator out, LensResult result, int cell) throws IOException {
    out.writeArrayFieldStart("top");
    int k = result.getTopIds().isEmpty() ? 0 : result.getTopK();
    for (int i = cell * k; i < (cell + 1) * k; i++) {
      out.writeStartObject();
      out.writeNumberField("id", result.getTopIds().get(i));
      out.writeStringField("text", result.getTopTexts().get(i));
      number(out, "logit", result.getTopLogits().get(i));
      number(out, "probability", result.getTopProbabilities().get(i));
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  private static void targets(JsonGenerator out, TargetMetrics targets, int cell)
      throws IOException {
    out.writeArrayFieldStart("targets");
    int n = targets.getTargetsPerRow();
    for (int i = cell * n; i < (cell + 1) * n; i++) {
      if (targets.getIds().get(i) < 0) {
        continue; // the last row of a prefill has no next token
      }
      out.writeStartObject();
      out.writeNumberField("id", targets.getIds().get(i));
      if (!targets.getTexts().isEmpty()) { // decoders of before wrote none
        out.writeStringField("text", targets.getTexts().get(i));
      }
      number(out, "logit", targets.getLogits().get(i));
      number(out, "logProbability", targets.getLogProbabilities().get(i));
      out.writeNumberField("rank", targets.getRanks().get(i));
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  private static void projections(JsonGenerator out, List<ProjectionMetrics> all, int cell)
      throws IOException {
    out.writeArrayFieldStart("projections");
    for (ProjectionMetrics projection : all) {
      out.writeStartObject();
      out.writeStringField("vector", projection.getVector());
      number(out, "dot", projection.getDots().get(cell));
      number(out, "cosine", projection.getCosines().get(cell));
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  private static void steering(JsonGenerator out, List<AppliedSteering> steering)
      throws IOException {
    out.writeArrayFieldStart("steering");
    for (AppliedSteering applied : steering) {
      out.writeStartObject();
      out.writeStringField("name", applied.getName());
      out.writeNumberField("version", applied.getVersion());
      out.writeNumberField("layer", applied.getLayer());
      out.writeStringField("hookPoint", applied.getHookPoint().name());
      out.writeStringField("operation", applied.getOperation().name());
      number(out, "multiplier", applied.getMultiplier());
      out.writeStringField("positions", applied.getPositions());
      out.writeBooleanField("preserveNorm", applied.getPreserveNorm());
      out.writeStringField("source", applied.getSource().name());
      out.writeStringField("policy", applied.getPolicy());
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  private static void cell(JsonGenerator out, String name, List<Float> values, int cell)
      throws IOException {
    if (values == null) {
      out.writeNullField(name);
    } else {
      number(out, name, values.get(cell));
    }
  }

  private static void number(JsonGenerator out, String name, float value) throws IOException {
    if (Float.isFinite(value)) {
      out.writeNumberField(name, value);
    } else {
      out.writeNullField(name);
    }
  }

  private static String object(String type, Body body) {
    StringWriter text = new StringWriter(256);
    try (JsonGenerator out = JSON.createGenerator(text)) {
      out.writeStartObject();
      out.writeStringField("type", type);
      body.write(out);
      out.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException("a StringWriter does not fail", e);
    }
    return text.toString();
  }

  private interface Body {
    void write(JsonGenerator out) throws IOException;
  }
}
