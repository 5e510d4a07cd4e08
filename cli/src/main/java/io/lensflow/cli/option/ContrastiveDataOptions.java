package io.lensflow.cli.option;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.cli.steering.DataFile;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which data, and how its items become text. */
public final class ContrastiveDataOptions {
  @Option(
      names = "--data",
      required = true,
      paramLabel = "FILE.jsonl",
      description = {
        "Contrastive items, one JSON object a line with question, answer_matching_behavior and",
        "answer_not_matching_behavior."
      })
  Path file;

  @Option(
      names = "--format",
      required = true,
      paramLabel = "chat|plain",
      description = "How an item becomes text: the model's chat template, or question and answer.")
  String format;

  /** Adds what is sent of it. */
  public ObjectNode addTo(ObjectNode body) {
    DataFile data = DataFile.read(file);
    return body.put("data", data.text()).put("dataset", data.name()).put("format", format);
  }
}
