package io.lensflow.cli.command;

import io.lensflow.ingest.IngestService;
import io.lensflow.ingest.IngestSettings;
import io.lensflow.service.KafkaSettings;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lensflow ingest}. */
@Command(
    name = "ingest",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Run an HTTP gateway: requests in, Server-Sent Events out.")
public final class IngestCommand extends ServiceCommand {
  @Option(names = "--host", paramLabel = "ADDRESS", description = "Address to listen at.")
  String host;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      description = "Port to listen at (default: LENSFLOW_INGEST_PORT, 8080).")
  Integer port;

  @Override
  void addTo(Map<String, Object> overrides) {
    put(overrides, "lensflow.ingest.host", host);
    put(overrides, "lensflow.ingest.port", port);
  }

  @Override
  AutoCloseable start(Map<String, Object> overrides, KafkaSettings kafka) throws Exception {
    return IngestService.start(IngestSettings.load(overrides), kafka);
  }
}
