package io.lensflow.cli.option;

import io.lensflow.records.Capture;
import io.lensflow.records.ElementType;
import io.lensflow.records.HookPoint;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** Which activations leave the worker. */
public final class CaptureOptions {
  @Option(
      names = "--hook-points",
      paramLabel = "POINT",
      split = ",",
      defaultValue = "residual_post",
      description = {
        "Where in a block to capture: residual_pre, attention_input, attention_output,",
        "residual_mid, mlp_input, mlp_output, residual_post; all; none",
        "(default: ${DEFAULT-VALUE})."
      })
  List<String> hookPoints;

  @Option(
      names = "--layers",
      paramLabel = "SPEC",
      defaultValue = "all",
      description = "Layers: all, 0-3,8,-1, 5- (default: ${DEFAULT-VALUE}).")
  String layers;

  @Option(
      names = "--positions",
      paramLabel = "SPEC",
      defaultValue = "all",
      converter = SteerOptions.PositionsConverter.class,
      description = "Rows: all, prompt, generated, last_prompt, 1-, 0,2,-1 (default: all).")
  String positions;

  @Option(
      names = "--capture-dtype",
      paramLabel = "TYPE",
      converter = ElementTypeConverter.class,
      description = "bfloat16, float16 or float32 (default: as the worker computes).")
  ElementType dtype;

  /** The capture part of a request. */
  Capture toCapture() {
    return Capture.newBuilder()
        .setHookPoints(hookPoints())
        .setLayers(layers)
        .setPositions(positions)
        .setDtype(dtype)
        .build();
  }

  private List<HookPoint> hookPoints() {
    return switch (hookPoints.get(0)) {
      case "all" ->
          java.util.Arrays.stream(HookPoint.values())
              .filter(point -> point != HookPoint.UNKNOWN)
              .toList();
      case "none" -> List.of();
      default ->
          hookPoints.stream().map(name -> Choice.of(HookPoint.class, name)).distinct().toList();
    };
  }

  static final class ElementTypeConverter implements ITypeConverter<ElementType> {
    @Override
    public ElementType convert(String value) {
      return Choice.of(ElementType.class, value);
    }
  }
}
