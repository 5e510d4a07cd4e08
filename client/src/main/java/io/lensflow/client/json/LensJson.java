package io.lensflow.client.json;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.records.LensAccuracy;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.NormScale;
import io.lensflow.schemas.lens.ServedLenses;
import java.util.List;
import java.util.Optional;

/** Reads the lenses of a request. Stateless and thread-safe. */
final class LensJson {
  private static final int MAX_LENSES = 16;
  private static final int MAX_METRICS = 64;
  private static final int TEXT_CHARS = 256;

  private LensJson() {}

  /**
   * Field {@code lenses}: an array of objects, or of names alone; empty where it is absent.
   *
   * @param in the request
   * @throws InvalidRequestException naming the field
   */
  static Optional<List<LensRequest>> read(JsonFields in) {
    return Optional.ofNullable(in.list("lenses", MAX_LENSES, LensJson::lens))
        .map(LensJson::distinct);
  }

  private static LensRequest lens(JsonNode node, String path) {
    if (node.isTextual()) {
      return LensRequest.newBuilder().setName(RequestJson.name(node, path)).build();
    }
    JsonFields in = new JsonFields(node, path);
    LensRequest.Builder lens = LensRequest.newBuilder();
    if (in.get("name") != null) {
      lens.setName(RequestJson.name(in.get("name"), in.path("name")));
    }
    lens.setTopK(in.integer("topK", 5, 1, ServedLenses.MAX_TOP_K));
    List<LensMetric> metrics =
        in.list("metrics", MAX_METRICS, (n, p) -> JsonFields.symbol(n, p, LensMetric.class));
    if (metrics != null) {
      lens.setMetrics(metrics.stream().distinct().toList());
    }
    lens.setTargetIds(targets(in.list("targetIds", ServedLenses.MAX_TARGETS, RequestJson::tokenId)))
        .setTargetTexts(targets(in.list("targetTexts", ServedLenses.MAX_TARGETS, LensJson::text)))
        .setAccuracy(in.symbol("accuracy", LensAccuracy.class, LensAccuracy.FAST))
        .setNormScale(in.symbol("normScale", NormScale.class, NormScale.OWN))
        .setProjections(
            RequestJson.orEmpty(
                in.list("projections", ServedLenses.MAX_PROJECTIONS, LensJson::vector)));
    in.refuseOthers();
    return lens.build();
  }

  /** Each once: a token asked for twice would be told twice in every row. */
  private static <T> List<T> targets(List<T> targets) {
    return RequestJson.orEmpty(targets).stream().distinct().toList();
  }

  /** Two results of one name could not be told apart. */
  private static List<LensRequest> distinct(List<LensRequest> lenses) {
    for (int i = 1; i < lenses.size(); i++) {
      String name = lenses.get(i).getName();
      if (lenses.subList(0, i).stream().anyMatch(lens -> lens.getName().equals(name))) {
        throw new InvalidRequestException(
            "lenses[%d].name".formatted(i), "the lens '%s' is asked for twice".formatted(name));
      }
    }
    return lenses;
  }

  private static String text(JsonNode node, String path) {
    String text = JsonFields.text(node, path, TEXT_CHARS);
    if (text.isEmpty()) {
      throw new InvalidRequestException(path, path + " is empty; a target is one token's text");
    }
    return text;
  }

  private static String vector(JsonNode node, String path) {
    String vector = JsonFields.text(node, path, TEXT_CHARS);
    if (!ServedLenses.isVector(vector)) {
      throw new InvalidRequestException(
          path, "%s '%s' must be NAME@VERSION, such as calm@3".formatted(path, vector));
    }
    return vector;
  }
}
