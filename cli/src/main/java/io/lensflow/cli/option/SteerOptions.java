package io.lensflow.cli.option;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringOperation;
import io.lensflow.records.SteeringRequest;
import io.lensflow.text.spec.PositionSpec;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** One {@code --steer} and what follows it; each further {@code --steer} begins a new one. */
public final class SteerOptions {
  @Option(
      names = "--steer",
      required = true,
      paramLabel = "NAME[@VERSION|@ALIAS]=MULTIPLIER",
      converter = VectorConverter.class,
      description = {
        "Apply a steering vector; repeatable, applied in the order given.",
        "The --steer-… options after it say how; what they leave out, the vector's manifest says."
      })
  SteeringRequest vector;

  @Option(
      names = "--steer-positions",
      paramLabel = "SPEC",
      converter = PositionsConverter.class,
      description = "Which rows: prompt, last_prompt, from_label, generated, all, or 0,2,-1.")
  String positions;

  @Option(
      names = "--steer-layers",
      paramLabel = "SPEC",
      description = "Only these of the vector's layers.")
  String layers;

  @Option(
      names = "--steer-hook-point",
      paramLabel = "POINT",
      description = "Another hook point, such as residual_post.")
  String hookPoint;

  @Option(
      names = "--steer-operation",
      paramLabel = "OP",
      description = "add, add_norm_matched, ablate or project_to.")
  String operation;

  @Option(
      names = "--steer-preserve-norm",
      negatable = true,
      description = "Rescale each row to the norm it had.")
  Boolean preserveNorm;

  /** The request's entry. */
  SteeringRequest toSteering() {
    return SteeringRequest.newBuilder(vector)
        .setPositions(positions)
        .setLayers(layers)
        .setHookPoint(hookPoint == null ? null : Choice.of(HookPoint.class, hookPoint))
        .setOperation(operation == null ? null : Choice.of(SteeringOperation.class, operation))
        .setPreserveNorm(preserveNorm)
        .build();
  }

  /** The same as JSON, for a policy; what is absent was not said. */
  public ObjectNode toJson() {
    SteeringRequest said = toSteering();
    ObjectNode json =
        JsonNodeFactory.instance
            .objectNode()
            .put("name", said.getName())
            .put("multiplier", said.getMultiplier());
    if (said.getVersion() != null) {
      json.put("version", said.getVersion());
    }
    if (said.getPreserveNorm() != null) {
      json.put("preserveNorm", said.getPreserveNorm());
    }
    put(json, "alias", said.getAlias());
    put(json, "positions", said.getPositions());
    put(json, "layers", said.getLayers());
    put(json, "hookPoint", said.getHookPoint());
    put(json, "operation", said.getOperation());
    return json;
  }

  private static void put(ObjectNode json, String name, Object value) {
    if (value != null) {
      json.put(name, value.toString());
    }
  }

  /** {@code honesty=1.5}, {@code honesty@3=1.5}, {@code honesty@production=-1}. */
  static final class VectorConverter implements ITypeConverter<SteeringRequest> {
    private static final Pattern SHAPE =
        Pattern.compile("(?<name>[^@=]+)(@(?<version>[^@=]+))?=(?<multiplier>.+)");

    @Override
    public SteeringRequest convert(String text) {
      Matcher matcher = SHAPE.matcher(text);
      if (!matcher.matches()) {
        throw new TypeConversionException(
            "'%s' is not NAME=MULTIPLIER, NAME@VERSION=MULTIPLIER or NAME@ALIAS=MULTIPLIER"
                .formatted(text));
      }
      String version = matcher.group("version");
      boolean numbered = version != null && version.matches("\\d{1,9}");
      return SteeringRequest.newBuilder()
          .setName(matcher.group("name").strip())
          .setVersion(numbered ? Integer.valueOf(version) : null)
          .setAlias(numbered ? null : version)
          .setMultiplier(multiplier(matcher.group("multiplier")))
          .build();
    }

    private static float multiplier(String text) {
      try {
        float multiplier = Float.parseFloat(text.strip());
        if (Float.isFinite(multiplier)) {
          return multiplier;
        }
      } catch (NumberFormatException e) {
        // answered below, as what is not finite
      }
      throw new TypeConversionException("the multiplier '" + text + "' is not a number");
    }
  }

  static final class PositionsConverter implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
      try {
        return PositionSpec.parse(text).toString();
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
