package io.lensflow.engine.capture;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Hook points as a command line names them: {@code all}, or {@code residual_post,mlp_output}. */
final class HookPointList {
  private HookPointList() {}

  /**
   * Reads a list.
   *
   * @param option the option that it came with
   * @return hook points in the order given, none twice
   * @throws IllegalArgumentException if a name is unknown; says which are known
   */
  static List<HookPoint> parse(String option, String list) {
    String spec = list.strip().toLowerCase(Locale.ROOT);
    if (spec.equals("all")) {
      return List.of(HookPoint.values());
    }
    Map<String, HookPoint> known =
        Arrays.stream(HookPoint.values())
            .collect(Collectors.toMap(HookPoint::fileName, point -> point));
    List<HookPoint> points = new ArrayList<>();
    for (String name : spec.split(",", -1)) {
      HookPoint point = known.get(name.strip());
      if (point == null) {
        throw new IllegalArgumentException(
            "%s: '%s' is none; use all or a list of %s"
                .formatted(
                    option,
                    name.strip(),
                    Arrays.stream(HookPoint.values()).map(HookPoint::fileName).toList()));
      }
      if (!points.contains(point)) {
        points.add(point);
      }
    }
    return points;
  }
}
