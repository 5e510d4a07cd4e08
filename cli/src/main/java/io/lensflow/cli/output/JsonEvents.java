package io.lensflow.cli.output;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.client.follow.LensRow;
import io.lensflow.records.AppliedSteering;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.Failure;
import io.lensflow.records.Finished;
import io.lensflow.records.LensResult;
import io.lensflow.records.Timings;
import io.lensflow.records.Tokens;
import java.util.ArrayList;
import java.util.List;

/**
 * Events as JSON, one object a line. What was not asked for is left out; what is asked for and has
 * no value is null. Thread-safe.
 */
public final class JsonEvents {
  private final ObjectMapper mapper = new ObjectMapper();

  /** One line for each token of a {@code TOKENS} event. */
  public List<String> tokens(CompletionEvent event) {
    Tokens tokens = event.getTokens();
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < tokens.getIds().size(); i++) {
      ObjectNode line = line("token", event.getRequestId());
      line.put("attempt", event.getAttemptId());
      line.put("model", event.getModel());
      line.put("position", tokens.getPositions().get(i));
      line.put("id", tokens.getIds().get(i));
      line.put("text", tokens.getTexts().get(i));
      if (tokens.getLogProbs() != null) {
        put(line, "logProb", tokens.getLogProbs().get(i));
      }
      lines.add(text(line));
    }
    return lines;
  }

  /** One line for each row and layer of a result; one line in all for a gap. */
  public List<String> result(LensResult result) {
    if (result.getGap() != null) {
      return List.of(gap(result));
    }
    ArrayNode steering = steering(result.getSteering());
    List<String> lines = new ArrayList<>();
    for (LensRow row : LensRow.of(result)) {
      ObjectNode line = line("lens", result.getRequestId());
      line.put("attempt", result.getAttemptId());
      line.put("model", result.getModel());
      line.put("lens", result.getLens());
      line.put("hookPoint", row.hookPoint().name());
      line.put("layer", row.layer());
      line.put("position", row.position());
      line.put("tokenId", row.tokenId());
      ArrayNode top = line.putArray("top");
      for (LensRow.Candidate candidate : row.top()) {
        ObjectNode entry = top.addObject();
        entry.put("id", candidate.id());
        entry.put("text", candidate.text());
        put(entry, "logit", candidate.logit());
        put(entry, "probability", candidate.probability());
      }
      putIfAsked(line, "entropy", row.entropy());
      putIfAsked(line, "logSumExp", row.logSumExp());
      putIfAsked(line, "kl", row.kl());
      putIfAsked(line, "js", row.js());
      if (result.getTargets() != null) {
        targets(line.putArray("targets"), row.targets());
      }
      line.set("steering", steering);
      lines.add(text(line));
    }
    return lines;
  }

  private static void targets(ArrayNode array, List<LensRow.Target> targets) {
    for (LensRow.Target target : targets) {
      ObjectNode entry = array.addObject();
      entry.put("id", target.id());
      put(entry, "logit", target.logit());
      put(entry, "logProbability", target.logProbability());
      entry.put("rank", target.rank());
    }
  }

  private String gap(LensResult result) {
    ObjectNode line = line("gap", result.getRequestId());
    line.put("attempt", result.getAttemptId());
    line.put("lens", result.getLens());
    line.set("missingSequences", mapper.valueToTree(result.getGap().getMissingSequences()));
    line.put("reason", result.getGap().getReason());
    return text(line);
  }

  /** Another attempt begins. */
  public String restarted(String requestId, String attemptId) {
    ObjectNode line = line("restarted", requestId);
    line.put("attempt", attemptId);
    return text(line);
  }

  /** An attempt failed; another may follow. */
  public String attemptFailed(CompletionEvent event) {
    ObjectNode line = line("attemptFailed", event.getRequestId());
    line.put("attempt", event.getAttemptId());
    line.set("error", error(event.getFailure()));
    return text(line);
  }

  /** How a request ended: {@code finished}, or {@code failed}, which a cancelled one is too. */
  public String ended(CompletionEvent event) {
    Finished finished = event.getFinished();
    if (finished == null) {
      ObjectNode line = line("failed", event.getRequestId());
      line.set("error", error(event.getFailure()));
      return text(line);
    }
    ObjectNode line = line("finished", event.getRequestId());
    line.put("attempt", event.getAttemptId());
    line.put("model", event.getModel());
    line.put("reason", finished.getReason().name());
    line.put("text", finished.getText());
    line.put("promptTokens", finished.getPromptTokens());
    line.put("generatedTokens", finished.getGeneratedTokens());
    line.put("rows", finished.getRows());
    Timings timings = finished.getTimings();
    line.put("queuedMicros", timings.getQueuedMicros());
    line.put("prefillMicros", timings.getPrefillMicros());
    line.put("decodeMicros", timings.getDecodeMicros());
    line.put("totalMicros", timings.getTotalMicros());
    return text(line);
  }

  /** A failure that no worker reported: the command's own. */
  public String failed(String requestId, String code, String message) {
    ObjectNode line = line("failed", requestId);
    line.set("error", error(new Failure(code, message, null)));
    return text(line);
  }

  private ObjectNode error(Failure failure) {
    ObjectNode error = mapper.createObjectNode();
    error.put("code", failure == null ? "UNKNOWN" : failure.getCode());
    error.put("message", failure == null ? "no reason was given" : failure.getMessage());
    error.put("field", failure == null ? null : failure.getField());
    return error;
  }

  private ArrayNode steering(List<AppliedSteering> applied) {
    ArrayNode array = mapper.createArrayNode();
    for (AppliedSteering one : applied) {
      ObjectNode entry = array.addObject();
      entry.put("name", one.getName());
      entry.put("version", one.getVersion());
      entry.put("layer", one.getLayer());
      entry.put("hookPoint", one.getHookPoint().name());
      entry.put("operation", one.getOperation().name());
      put(entry, "multiplier", one.getMultiplier());
      entry.put("positions", one.getPositions());
      entry.put("preserveNorm", one.getPreserveNorm());
      entry.put("source", one.getSource().name());
      entry.put("policy", one.getPolicy());
    }
    return array;
  }

  private ObjectNode line(String type, String requestId) {
    return mapper.createObjectNode().put("type", type).put("request", requestId);
  }

  private static void putIfAsked(ObjectNode node, String name, Float value) {
    if (value != null) {
      put(node, name, value);
    }
  }

  /** JSON has no NaN and no infinity. */
  private static void put(ObjectNode node, String name, float value) {
    if (Float.isFinite(value)) {
      node.put(name, value);
    } else {
      node.putNull(name);
    }
  }

  private String text(ObjectNode line) {
    try {
      return mapper.writeValueAsString(line);
    } catch (JsonProcessingException e) {
      throw new AssertionError("a tree of plain values can always be written", e);
    }
  }
}
