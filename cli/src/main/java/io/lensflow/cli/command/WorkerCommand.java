package io.lensflow.cli.command;

import io.lensflow.service.KafkaSettings;
import io.lensflow.worker.WorkerService;
import io.lensflow.worker.WorkerSettings;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lensflow worker}. */
@Command(
    name = "worker",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Run a worker: generation, capture and steering for one model.")
public final class WorkerCommand extends ServiceCommand {
  @Option(
      names = "--model",
      paramLabel = "DIR|ID",
      description = {
        "Checkpoint: a folder in Hugging Face layout, or a hub id, org/name[@revision]",
        "(default: LENSFLOW_WORKER_MODEL)."
      })
  String model;

  @Option(
      names = "--served-name",
      paramLabel = "NAME",
      description = "Name under which clients know the model (default: the folder's or id's name).")
  String servedName;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "The worker's own name (default: the machine's).")
  String name;

  @Option(names = "--dtype", paramLabel = "TYPE", description = "float32 or bfloat16.")
  String dtype;

  @Override
  void addTo(Map<String, Object> overrides) {
    put(overrides, "lensflow.worker.model", model);
    put(overrides, "lensflow.worker.served-name", servedName);
    put(overrides, "lensflow.worker.name", name);
    put(overrides, "lensflow.worker.dtype", dtype);
  }

  @Override
  AutoCloseable start(Map<String, Object> overrides, KafkaSettings kafka) throws Exception {
    return WorkerService.start(WorkerSettings.load(overrides), kafka);
  }
}
