package io.lensflow.steering.http;

import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringOperation;
import io.lensflow.steering.json.Symbols;
import io.lensflow.steering.vector.Provenance;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.SiteDraft;
import io.lensflow.steering.vector.VectorDraft;
import java.util.ArrayList;
import java.util.List;

/**
 * What a publish sends: one site ({@code layer}, {@code hookPoint}, {@code values}) or {@code
 * sites}, and what {@link VectorDraft} says. All else may be absent.
 */
record PublishBody(
    Integer layer,
    String hookPoint,
    float[] values,
    List<SiteBody> sites,
    String revision,
    String operation,
    String positions,
    Boolean preserveNorm,
    String method,
    String dataset,
    String datasetHash,
    Integer pairCount,
    String items,
    String chosenBy,
    String balance,
    Double labelShare,
    String author,
    String description,
    Integer expectedVersion) {
  /** One of {@code sites}. */
  record SiteBody(Integer layer, String hookPoint, float[] values) {}

  /** The draft, defaults filled in; its values are not checked yet. */
  VectorDraft toDraft(String actor) {
    return new VectorDraft(
        revision,
        siteDrafts(),
        operation == null
            ? SteeringOperation.ADD
            : Symbols.choose(SteeringOperation.class, "operation", operation),
        or(positions, "all"),
        preserveNorm != null && preserveNorm,
        new Provenance(
            or(method, ""),
            or(dataset, ""),
            or(datasetHash, ""),
            pairCount == null ? 0 : pairCount,
            or(items, ""),
            or(chosenBy, ""),
            or(balance, ""),
            labelShare),
        or(author, actor),
        or(description, ""),
        List.of(),
        expectedVersion);
  }

  private List<SiteDraft> siteDrafts() {
    boolean single = layer != null || hookPoint != null || values != null;
    if (single == (sites != null)) {
      throw RefusedException.invalid(
          "sites", "give either layer, hookPoint and values, or sites with these three each");
    }
    if (single) {
      return List.of(draft("", layer, hookPoint, values));
    }
    List<SiteDraft> drafts = new ArrayList<>();
    for (SiteBody site : sites) {
      String field = "sites[%d].".formatted(drafts.size());
      if (site == null) {
        throw RefusedException.invalid(field.substring(0, field.length() - 1), "must not be null");
      }
      drafts.add(draft(field, site.layer(), site.hookPoint(), site.values()));
    }
    return drafts;
  }

  private static SiteDraft draft(String field, Integer layer, String hookPoint, float[] values) {
    if (layer == null) {
      throw RefusedException.invalid(field + "layer", "must be set to a layer, 0 … L-1");
    }
    if (values == null) {
      throw RefusedException.invalid(
          field + "values", "must be set to as many numbers as the model's hidden size");
    }
    return new SiteDraft(
        field,
        layer,
        hookPoint == null
            ? HookPoint.ATTENTION_INPUT
            : Symbols.choose(HookPoint.class, field + "hookPoint", hookPoint),
        values);
  }

  private static String or(String value, String fallback) {
    return value == null ? fallback : value;
  }
}
