package io.lensflow.cli.output;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.decoder.fit.FitCounts;
import io.lensflow.decoder.fit.FitOutcome;
import io.lensflow.engine.lens.TranslatorInfo;
import io.lensflow.engine.lens.fit.LayerReport;
import io.lensflow.engine.lens.fit.LensScore;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What came of a fit, for people and for programs. Stateless, thread-safe. */
public final class FitTable {
  private static final String HEAD =
      "layer    rows  |  KL plain   fitted     bias  unigram  |  top-1 plain  fitted    bias  unigram";
  private static final String LINE =
      "%5d  %6d  |  %8.3f %8.3f %8.3f %8.3f  |  %11.3f %7.3f %7.3f %8.3f";

  private FitTable() {}

  /** The held-out report as lines: KL(model ‖ lens) in nats and top-1 agreement, by layer. */
  public static List<String> render(FitOutcome outcome) {
    List<String> lines = new ArrayList<>();
    if (!outcome.reports().isEmpty()) {
      lines.add(HEAD);
    }
    for (LayerReport layer : outcome.reports()) {
      lines.add(
          LINE.formatted(
              layer.layer(),
              layer.rows(),
              layer.plain().kl(),
              layer.fitted().kl(),
              layer.biasOnly().kl(),
              layer.unigram().kl(),
              layer.plain().top1(),
              layer.fitted().top1(),
              layer.biasOnly().top1(),
              layer.unigram().top1()));
    }
    return lines;
  }

  /** Everything, as one JSON object. */
  public static ObjectNode json(FitOutcome outcome) {
    ObjectNode root = new ObjectMapper().createObjectNode();
    root.put("file", outcome.file().toAbsolutePath().toString());
    root.set("lens", json(outcome.info()));
    root.put("trainingRows", outcome.trainingRows());
    root.put("trainingRequests", outcome.trainingRequests());
    root.put("heldOutRows", outcome.heldOutRows());
    root.put("heldOutRequests", outcome.heldOutRequests());
    root.put("unigramRows", outcome.unigramRows());
    FitCounts counts = outcome.counts();
    root.putObject("leftOut")
        .put("chunksOfOtherAttempts", counts.otherAttempts())
        .put("chunksSteered", counts.steered())
        .put("chunksRefused", counts.refused())
        .put("rowsUnpaired", counts.unpairedRows())
        .put("recordsDeletedByRetention", counts.deletedRecords());
    root.putObject("seconds")
        .put("reading", outcome.reading().toMillis() / 1e3)
        .put("solving", outcome.solving().toMillis() / 1e3)
        .put("measuring", outcome.measuring().toMillis() / 1e3);
    ArrayNode layers = root.putArray("layers");
    for (LayerReport layer : outcome.reports()) {
      ObjectNode node = layers.addObject().put("layer", layer.layer()).put("rows", layer.rows());
      node.set("plain", json(layer.plain()));
      node.set("fitted", json(layer.fitted()));
      node.set("biasOnly", json(layer.biasOnly()));
      node.set("unigram", json(layer.unigram()));
    }
    return root;
  }

  /** What a lens file says about itself. */
  public static ObjectNode json(TranslatorInfo info) {
    return new ObjectMapper()
        .createObjectNode()
        .put("name", info.name())
        .put("kind", info.kind().name().toLowerCase(Locale.ROOT))
        .put("model", info.model())
        .put("revision", info.revision())
        .put("hookPoint", info.hookPoint().name())
        .put("method", info.method())
        .put("trainingData", info.trainingData())
        .put("createdAt", info.createdAt());
  }

  private static ObjectNode json(LensScore score) {
    return new ObjectMapper().createObjectNode().put("kl", score.kl()).put("top1", score.top1());
  }
}
