package io.lensflow.cli.command;

import io.lensflow.decoder.DecoderService;
import io.lensflow.decoder.DecoderSettings;
import io.lensflow.service.KafkaSettings;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lensflow decoder}. */
@Command(
    name = "decoder",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Run a lens decoder: what workers captured becomes lens results.")
public final class DecoderCommand extends ServiceCommand {
  /** The supervisor shall start it again: a kernel hangs or Kafka has put it out. */
  private static final int RESTART = 70;

  @Option(
      names = "--model",
      paramLabel = "DIR|ID",
      description = {
        "Checkpoint: a folder in Hugging Face layout, or a hub id, org/name[@revision]",
        "(default: LENSFLOW_DECODER_CHECKPOINT)."
      })
  String model;

  @Option(
      names = "--served-name",
      paramLabel = "NAME",
      description =
          "Name under which workers serve the model (default: the folder's or id's name).")
  String servedName;

  @Override
  void addTo(Map<String, Object> overrides) {
    put(overrides, "lensflow.decoder.checkpoint", model);
    // Empty is the checkpoint's own name, whatever the environment says of another.
    put(overrides, "lensflow.decoder.model", servedName == null && model != null ? "" : servedName);
  }

  @Override
  AutoCloseable start(Map<String, Object> overrides, KafkaSettings kafka) throws Exception {
    return DecoderService.start(DecoderSettings.load(overrides), kafka);
  }

  @Override
  int await(AutoCloseable service) throws InterruptedException {
    return ((DecoderService) service).awaitEnd() == null ? 0 : RESTART;
  }
}
