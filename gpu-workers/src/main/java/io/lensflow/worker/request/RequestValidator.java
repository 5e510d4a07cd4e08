package io.lensflow.worker.request;

import static io.lensflow.worker.request.InvalidRequestException.INVALID_REQUEST;
import static io.lensflow.worker.request.InvalidRequestException.MODEL_NOT_SERVED;
import static io.lensflow.worker.request.InvalidRequestException.TOO_LONG;

import io.lensflow.engine.DType;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.records.Capture;
import io.lensflow.records.ElementType;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensRequest;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.Sampling;
import io.lensflow.records.SteeringOperation;
import io.lensflow.records.SteeringRequest;
import io.lensflow.text.Tokenizer;
import io.lensflow.text.spec.LayerSpec;
import io.lensflow.text.spec.PositionSpec;
import io.lensflow.worker.ranks.EngineInfo;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Checks requests against the model that a worker serves, tokenises their prompts and resolves
 * their layers and positions. Every refusal names the field and says how to mend it.
 *
 * <p>Immutable and thread-safe.
 */
public final class RequestValidator {
  /** Deadline of a request that names none, after its creation. */
  public static final Duration DEFAULT_DEADLINE = Duration.ofMinutes(10);

  static final int MAX_STOP_STRINGS = 16;
  static final int MAX_STOP_CHARACTERS = 256;

  /** Labels are repeated in every record of a request. */
  static final int MAX_LABEL_BYTES = 16 * 1024;

  private final String servedName;
  private final EngineInfo engine;
  private final Tokenizer tokenizer;
  private final ChatPrompts chats;
  private final LensValidator lenses;

  /**
   * @param servedName the name under which clients know the model
   * @param engine the model's shape
   * @param tokenizer the model's tokenizer
   */
  public RequestValidator(String servedName, EngineInfo engine, Tokenizer tokenizer) {
    this.servedName = servedName;
    this.engine = engine;
    this.tokenizer = tokenizer;
    this.chats = new ChatPrompts(tokenizer);
    this.lenses = new LensValidator(engine.config().vocabularySize(), tokenizer);
  }

  /**
   * Checks and resolves a request.
   *
   * @param traceparent trace context, null for none
   * @throws InvalidRequestException naming the first field that is wrong
   */
  public GenerationRequest validate(PromptRequest request, String traceparent)
      throws InvalidRequestException {
    checkModel(request);
    checkLabels(request.getLabels());
    checkSampling(request.getSampling());
    checkStop(request.getStop());
    require(
        request.getMaxNewTokens() >= 0,
        "maxNewTokens",
        "maxNewTokens is %d; it must be 0 (prefill only) or more",
        request.getMaxNewTokens());
    List<LensRequest> resolved = lenses.resolve(request.getLenses());
    checkSteering(request.getSteering());
    CaptureSpec capture = capture(request.getCapture(), resolved);
    int[] promptIds = promptIds(request.getPrompt());
    int room = engine.maxContext() - promptIds.length;
    if (room < 0 || (room == 0 && request.getMaxNewTokens() > 0)) {
      throw new InvalidRequestException(
          TOO_LONG,
          "prompt",
          "the prompt has %d tokens and %s %d with the output; shorten the prompt"
              .formatted(
                  promptIds.length,
                  engine.maxContext() < engine.config().maxPositions()
                      ? "this worker's pool of keys and values (lensflow.worker.kv-tokens) holds"
                      : "the context holds",
                  engine.maxContext()));
    }
    return new GenerationRequest(
        request,
        traceparent,
        promptIds,
        deadline(request),
        resolved,
        capture,
        Math.min(request.getMaxNewTokens(), room),
        request.getMaxNewTokens() > room);
  }

  /** When a request fails if it has not ended. */
  public static Instant deadline(PromptRequest request) {
    return request.getDeadline().equals(Instant.EPOCH)
        ? request.getCreatedAt().plus(DEFAULT_DEADLINE)
        : request.getDeadline();
  }

  private void checkModel(PromptRequest request) throws InvalidRequestException {
    String model = request.getModel();
    if (!model.isEmpty() && !model.equals(servedName)) {
      throw new InvalidRequestException(
          MODEL_NOT_SERVED,
          "model",
          "model '%s' is not served on this topic, '%s' is; name that, or send to the topic of the other model's workers"
              .formatted(model, servedName));
    }
    String revision = request.getRevision();
    if (revision != null && !revision.equals(engine.revision())) {
      throw new InvalidRequestException(
          MODEL_NOT_SERVED,
          "revision",
          "revision '%s' is not served, '%s' is; name that, or leave revision out"
              .formatted(revision, engine.revision()));
    }
  }

  private static void checkLabels(Map<String, String> labels) throws InvalidRequestException {
    long bytes = 0;
    for (Map.Entry<String, String> label : labels.entrySet()) {
      bytes += utf8Length(label.getKey()) + utf8Length(label.getValue());
    }
    require(
        bytes <= MAX_LABEL_BYTES,
        "labels",
        "labels take %d bytes; at most %d are carried in every record",
        bytes,
        MAX_LABEL_BYTES);
  }

  private static int utf8Length(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  private static void checkSampling(Sampling s) throws InvalidRequestException {
    require(
        Float.isFinite(s.getTemperature()) && s.getTemperature() >= 0,
        "sampling.temperature",
        "temperature is %s; it must be 0 (greedy) or more",
        s.getTemperature());
    require(
        s.getTopP() > 0 && s.getTopP() <= 1,
        "sampling.topP",
        "topP is %s; it must be over 0 and at most 1",
        s.getTopP());
    require(s.getTopK() >= 0, "sampling.topK", "topK is %d; 0 keeps all tokens", s.getTopK());
    require(
        s.getMinP() >= 0 && s.getMinP() < 1,
        "sampling.minP",
        "minP is %s; it must be 0 or more and under 1",
        s.getMinP());
    require(
        Float.isFinite(s.getRepetitionPenalty()) && s.getRepetitionPenalty() > 0,
        "sampling.repetitionPenalty",
        "repetitionPenalty is %s; it must be over 0, and 1 changes nothing",
        s.getRepetitionPenalty());
  }

  private static void checkStop(List<String> stops) throws InvalidRequestException {
    require(
        stops.size() <= MAX_STOP_STRINGS,
        "stop",
        "%d stop strings; at most %d are allowed",
        stops.size(),
        MAX_STOP_STRINGS);
    for (int i = 0; i < stops.size(); i++) {
      int length = stops.get(i).length();
      require(
          length > 0 && length <= MAX_STOP_CHARACTERS,
          "stop[" + i + "]",
          "a stop string has %d characters; it must have 1 … %d",
          length,
          MAX_STOP_CHARACTERS);
    }
  }

  private void checkSteering(List<SteeringRequest> steering) throws InvalidRequestException {
    for (int i = 0; i < steering.size(); i++) {
      SteeringRequest one = steering.get(i);
      String at = "steering[" + i + "].";
      require(!one.getName().isBlank(), at + "name", "a steering vector needs its name");
      require(
          one.getVersion() == null || one.getAlias() == null,
          at + "version",
          "version and alias are both set; name one of them");
      require(
          one.getVersion() == null || one.getVersion() >= 1,
          at + "version",
          "version is %s; versions count from 1",
          one.getVersion());
      require(
          Float.isFinite(one.getMultiplier()),
          at + "multiplier",
          "multiplier is %s; it must be a finite number",
          one.getMultiplier());
      require(
          one.getOperation() != SteeringOperation.UNKNOWN,
          at + "operation",
          "the operation is not known here; known are %s",
          known(SteeringOperation.values(), SteeringOperation.UNKNOWN));
      require(
          one.getHookPoint() != HookPoint.UNKNOWN,
          at + "hookPoint",
          "the hook point is not known here; known are %s",
          known(HookPoint.values(), HookPoint.UNKNOWN));
      if (one.getPositions() != null) {
        parsed(at + "positions", () -> PositionSpec.parse(one.getPositions()));
      }
      if (one.getLayers() != null) {
        parsed(at + "layers", () -> LayerSpec.resolve(one.getLayers(), engine.config().layers()));
      }
    }
  }

  private CaptureSpec capture(Capture capture, List<LensRequest> lenses)
      throws InvalidRequestException {
    require(
        !capture.getHookPoints().contains(HookPoint.UNKNOWN),
        "capture.hookPoints",
        "a hook point is not known here; known are %s",
        known(HookPoint.values(), HookPoint.UNKNOWN));
    require(
        capture.getDtype() != ElementType.UNKNOWN,
        "capture.dtype",
        "the dtype is not known here; known are %s",
        known(ElementType.values(), ElementType.UNKNOWN));
    int layerCount = engine.config().layers();
    List<Integer> layers =
        parsed("capture.layers", () -> LayerSpec.resolve(capture.getLayers(), layerCount));
    PositionSpec positions =
        parsed("capture.positions", () -> PositionSpec.parse(capture.getPositions()));
    DType dtype =
        capture.getDtype() == null ? engine.dtype() : DType.valueOf(capture.getDtype().name());
    List<io.lensflow.engine.capture.HookPoint> hookPoints = new ArrayList<>();
    for (HookPoint hookPoint : new LinkedHashSet<>(capture.getHookPoints())) {
      hookPoints.add(io.lensflow.engine.capture.HookPoint.valueOf(hookPoint.name()));
    }
    if (hookPoints.isEmpty()) {
      return new CaptureSpec(CapturePlan.NONE, dtype);
    }
    boolean finalRow = lenses.stream().anyMatch(LensValidator::needsFinalRow);
    return new CaptureSpec(new CapturePlan(hookPoints, layers, positions, finalRow), dtype);
  }

  private int[] promptIds(Prompt prompt) throws InvalidRequestException {
    int forms =
        (prompt.getText() == null ? 0 : 1)
            + (prompt.getMessages() == null ? 0 : 1)
            + (prompt.getTokenIds() == null ? 0 : 1);
    require(
        forms == 1,
        "prompt",
        "the prompt has %d of the forms text, messages, tokenIds; set exactly one",
        forms);
    if (prompt.getMessages() == null) {
      requireNoTemplate("prompt.tools", prompt.getTools());
      requireNoTemplate("prompt.templateVariables", prompt.getTemplateVariables());
    }
    if (prompt.getTokenIds() != null) {
      require(!prompt.getTokenIds().isEmpty(), "prompt.tokenIds", "the prompt is empty");
      checkIds(prompt.getTokenIds(), "prompt.tokenIds");
      return prompt.getTokenIds().stream().mapToInt(Integer::intValue).toArray();
    }
    if (prompt.getText() != null) {
      require(!prompt.getText().isEmpty(), "prompt.text", "the prompt is empty");
      return nonEmpty(tokenizer.encode(prompt.getText()), "prompt.text");
    }
    require(!prompt.getMessages().isEmpty(), "prompt.messages", "the conversation is empty");
    return nonEmpty(tokenizer.encodeRendered(chats.render(prompt)), "prompt.messages");
  }

  private static void requireNoTemplate(String field, String value) throws InvalidRequestException {
    require(value == null, field, "it goes to the chat template; send messages, not text or ids");
  }

  private static int[] nonEmpty(int[] ids, String field) throws InvalidRequestException {
    require(ids.length > 0, field, "the prompt has no tokens");
    return ids;
  }

  private void checkIds(Collection<Integer> ids, String field) throws InvalidRequestException {
    int vocabulary = engine.config().vocabularySize();
    for (int id : ids) {
      require(
          id >= 0 && id < vocabulary,
          field,
          "token id %d is not of this vocabulary; ids are 0 … %d",
          id,
          vocabulary - 1);
    }
  }

  private static <T> T parsed(String field, Supplier<T> parser) throws InvalidRequestException {
    try {
      return parser.get();
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(INVALID_REQUEST, field, e.getMessage());
    }
  }

  private static <E extends Enum<E>> List<E> known(E[] values, E unknown) {
    List<E> known = new ArrayList<>(List.of(values));
    known.remove(unknown);
    return known;
  }

  private static void require(boolean valid, String field, String message, Object... arguments)
      throws InvalidRequestException {
    if (!valid) {
      throw new InvalidRequestException(INVALID_REQUEST, field, message.formatted(arguments));
    }
  }
}
