package io.lensflow.client.json;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lensflow.records.Capture;
import io.lensflow.records.ElementType;
import io.lensflow.records.HookPoint;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.Sampling;
import io.lensflow.records.SteeringOperation;
import io.lensflow.records.SteeringRequest;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Reads {@link PromptRequest} from JSON: its fields in their own spelling, all optional but the
 * prompt. Layers and positions may be specs or arrays of numbers, symbols may be in any case, a
 * lens may be its name alone. What is absent takes the record's default.
 *
 * <p>Checks everything that can be checked without knowing the model: types, ranges, symbols, names
 * of fields. Stateless and thread-safe.
 */
public final class RequestJson {
  /** How long a request may take where it does not say. */
  public static final Duration DEFAULT_DEADLINE = Duration.ofMinutes(10);

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final Pattern ID = Pattern.compile("[A-Za-z0-9._:-]{1,128}");
  private static final int NAME_CHARS = 256;
  private static final int TEXT_CHARS = 16 << 20;

  private RequestJson() {}

  /**
   * Reads a request.
   *
   * @param json UTF-8
   * @param newId its id where it names none; a UUIDv7
   * @param now its time of creation
   * @throws InvalidRequestException naming the field
   */
  public static PromptRequest read(byte[] json, String newId, Instant now) {
    JsonNode root;
    try {
      root = JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new InvalidRequestException(
          null,
          "the body is not JSON: %s (line %d, column %d)"
              .formatted(
                  e.getOriginalMessage(),
                  e.getLocation() == null ? 0 : e.getLocation().getLineNr(),
                  e.getLocation() == null ? 0 : e.getLocation().getColumnNr()));
    } catch (IOException e) {
      throw new InvalidRequestException(null, "the body is not UTF-8 JSON: " + e.getMessage());
    }
    return read(root, newId, now);
  }

  /**
   * Reads a prompt alone: an object with {@code text}, {@code messages} or {@code tokenIds}, and
   * beside messages {@code tools} and {@code templateVariables}.
   *
   * @throws InvalidRequestException naming the field
   */
  public static Prompt readPrompt(JsonNode prompt) {
    JsonFields in = new JsonFields(JSON.createObjectNode().set("prompt", prompt), "");
    return PromptJson.read(in, TEXT_CHARS);
  }

  private static PromptRequest read(JsonNode root, String newId, Instant now) {
    JsonFields in = new JsonFields(root, "");
    PromptRequest.Builder request =
        PromptRequest.newBuilder()
            .setRequestId(requestId(in, newId))
            .setCreatedAt(now)
            .setDeadline(deadline(in, now))
            .setModel(in.text("model", "", NAME_CHARS).strip())
            .setRevision(in.text("revision", null, NAME_CHARS))
            .setTenant(in.text("tenant", "", NAME_CHARS))
            .setLabels(in.strings("labels", 64, 1024))
            .setPrompt(PromptJson.read(in, TEXT_CHARS))
            .setIgnoreEos(in.bool("ignoreEos", false))
            .setMaxNewTokens(in.integer("maxNewTokens", 64, 0, 1 << 20))
            .setLogProbs(in.bool("logProbs", false));
    if (in.get("sampling") != null) {
      request.setSampling(sampling(new JsonFields(in.get("sampling"), "sampling")));
    }
    if (in.get("capture") != null) {
      request.setCapture(capture(new JsonFields(in.get("capture"), "capture")));
    }
    request.setStop(orEmpty(in.list("stop", 16, RequestJson::stop)));
    LensJson.read(in).ifPresent(request::setLenses);
    request.setSteering(orEmpty(in.list("steering", 64, RequestJson::steering)));
    in.refuseOthers();
    return request.build();
  }

  /**
   * Checks an id: it becomes a record key and a part of URLs.
   *
   * @throws InvalidRequestException if it is none
   */
  public static String checkId(String id) {
    if (!ID.matcher(id).matches()) {
      throw new InvalidRequestException(
          "requestId",
          "requestId must have 1 … 128 letters, digits, '.', '_', ':' or '-' (best a UUIDv7)");
    }
    return id;
  }

  private static String requestId(JsonFields in, String newId) {
    return checkId(in.text("requestId", newId, Integer.MAX_VALUE));
  }

  private static Instant deadline(JsonFields in, Instant now) {
    String text = in.text("deadline", null, 100);
    return text == null
        ? now.plus(DEFAULT_DEADLINE)
        : DeadlineText.parse(text, in.path("deadline"), now);
  }

  private static Sampling sampling(JsonFields in) {
    Sampling sampling =
        Sampling.newBuilder()
            .setTemperature(in.number("temperature", 0f, 0, 100))
            .setTopP(positive(in, "topP", in.number("topP", 1f, 0, 1)))
            .setTopK(in.integer("topK", 0, 0, Integer.MAX_VALUE))
            .setMinP(in.number("minP", 0f, 0, 1))
            .setRepetitionPenalty(
                positive(in, "repetitionPenalty", in.number("repetitionPenalty", 1f, 0, 100)))
            .setSeed(in.integerOrNull("seed", Long.MIN_VALUE, Long.MAX_VALUE))
            .build();
    in.refuseOthers();
    return sampling;
  }

  private static float positive(JsonFields in, String name, float value) {
    if (value <= 0) {
      throw new InvalidRequestException(in.path(name), in.path(name) + " must be greater than 0");
    }
    return value;
  }

  private static Capture capture(JsonFields in) {
    Capture.Builder capture = Capture.newBuilder();
    List<HookPoint> hookPoints =
        in.list("hookPoints", 64, (n, path) -> JsonFields.symbol(n, path, HookPoint.class));
    if (hookPoints != null) {
      capture.setHookPoints(hookPoints.stream().distinct().toList());
    }
    capture
        .setLayers(spec(in, "layers", "all"))
        .setPositions(spec(in, "positions", "all"))
        .setDtype(in.symbol("dtype", ElementType.class, null));
    in.refuseOthers();
    return capture.build();
  }

  private static SteeringRequest steering(JsonNode node, String path) {
    JsonFields in = new JsonFields(node, path);
    if (in.get("name") == null) {
      throw new InvalidRequestException(
          in.path("name"), in.path("name") + " is missing: the name of a published vector");
    }
    String name = name(in.get("name"), in.path("name"));
    if (name.contains("@")) {
      throw new InvalidRequestException(
          in.path("name"),
          "%s '%s' must not hold '@'; the version has its own field, %s"
              .formatted(in.path("name"), name, in.path("version")));
    }
    Long version = in.integerOrNull("version", 1, Integer.MAX_VALUE);
    String alias = in.text("alias", null, NAME_CHARS);
    if (version != null && alias != null) {
      throw new InvalidRequestException(
          in.path("alias"), "%s has a version and an alias; give one of them".formatted(path));
    }
    SteeringRequest steering =
        SteeringRequest.newBuilder()
            .setName(name)
            .setVersion(version == null ? null : version.intValue())
            .setAlias(alias)
            .setMultiplier(in.number("multiplier", 1f, -1e30, 1e30))
            .setOperation(in.symbol("operation", SteeringOperation.class, null))
            .setPositions(spec(in, "positions", null))
            .setPreserveNorm(in.boolOrNull("preserveNorm"))
            .setLayers(spec(in, "layers", null))
            .setHookPoint(in.symbol("hookPoint", HookPoint.class, null))
            .build();
    in.refuseOthers();
    return steering;
  }

  /** A spec in its own language, or an array of whole numbers, which is a spec too. */
  private static String spec(JsonFields in, String name, String orElse) {
    JsonNode value = in.get(name);
    if (value == null) {
      return orElse;
    }
    String path = in.path(name);
    if (value.isIntegralNumber()) {
      return Long.toString(JsonFields.integer(value, path, -999_999, 999_999));
    }
    if (value.isTextual()) {
      return JsonFields.text(value, path, 10_000);
    }
    List<Long> numbers =
        JsonFields.list(value, path, 10_000, (n, p) -> JsonFields.integer(n, p, -999_999, 999_999));
    if (numbers.isEmpty()) {
      throw new InvalidRequestException(path, path + " is empty; name at least one, or use all");
    }
    return numbers.stream().map(String::valueOf).collect(Collectors.joining(","));
  }

  static String name(JsonNode node, String path) {
    String name = JsonFields.text(node, path, NAME_CHARS).strip();
    if (name.isEmpty()) {
      throw new InvalidRequestException(path, path + " is empty");
    }
    return name;
  }

  private static String stop(JsonNode node, String path) {
    String text = JsonFields.text(node, path, 1000);
    if (text.isEmpty()) {
      throw new InvalidRequestException(path, path + " is empty; it would end every generation");
    }
    return text;
  }

  static int tokenId(JsonNode node, String path) {
    return (int) JsonFields.integer(node, path, 0, Integer.MAX_VALUE);
  }

  static <T> List<T> orEmpty(List<T> list) {
    return list == null ? List.of() : list;
  }
}
