package io.lensflow.steering.build;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.steering.algebra.Doubles;
import io.lensflow.steering.items.ItemRenderer;
import io.lensflow.steering.items.PromptFormat;
import io.lensflow.steering.items.SkippedLine;
import java.util.List;
import java.util.Objects;

/**
 * What a build made, as its result says it.
 *
 * @param used items that the vector is made of
 * @param skipped lines that it is not made of
 * @param sites the vectors
 * @param warnings what the author should know
 */
record BuildResult(
    BuildPlan plan,
    int used,
    List<SkippedLine> skipped,
    List<BuiltSite> sites,
    List<String> warnings) {
  /** Skipped lines beyond these are counted only. */
  private static final int MAX_QUOTED = 100;

  /** The largest of the sites; null if none is known. */
  static Double largestLabelShare(List<BuiltSite> sites) {
    return sites.stream()
        .map(BuiltSite::labelShare)
        .filter(Objects::nonNull)
        .max(Double::compare)
        .orElse(null);
  }

  /**
   * As JSON; field by field what {@code openapi.json} describes.
   *
   * @param version the version that it becomes; null if it is not published, and then the values
   *     are in the result
   * @param more further warnings
   */
  ObjectNode json(Integer version, List<String> more) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("model", plan.vector().model());
    json.put("name", plan.vector().name());
    json.put("version", version);
    json.put("revision", plan.model().revision());
    json.put("method", plan.method().name());
    json.put("balance", plan.balance().name());
    json.put("format", plan.format().label());
    if (plan.format() == PromptFormat.CHAT) {
      ObjectNode template = json.putObject("template");
      ItemRenderer.VARIABLES.forEach((name, value) -> template.putPOJO(name, value));
      template.put("date", ItemRenderer.DATE.toString());
    }
    json.put("dataset", plan.data().name());
    json.put("datasetHash", plan.data().sha256());
    json.put("items", plan.items());
    json.put("pairCount", used);
    json.put("tokens", plan.tokens());
    json.put("skippedCount", skipped.size());
    ArrayNode lines = json.putArray("skipped");
    skipped.stream()
        .limit(MAX_QUOTED)
        .forEach(
            line ->
                lines
                    .addObject()
                    .put("line", line.line())
                    .put("item", line.item())
                    .put("reason", line.reason()));
    json.put("moreThanTwoChoices", plan.chosen().moreThanTwoChoices());
    json.put("labelShare", largestLabelShare(sites));
    ArrayNode built = json.putArray("sites");
    sites.forEach(site -> built.add(site(site, version == null)));
    ArrayNode said = json.putArray("warnings");
    warnings.forEach(said::add);
    more.forEach(said::add);
    return json;
  }

  private static ObjectNode site(BuiltSite built, boolean withValues) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("layer", built.site().layer());
    json.put("hookPoint", built.site().hookPoint().name());
    json.put("norm", built.norm());
    json.put("labelShare", built.labelShare());
    if (withValues) {
      ArrayNode values = json.putArray("values");
      for (float value : Doubles.toFloats(built.vector())) {
        values.add(value);
      }
    }
    return json;
  }
}
