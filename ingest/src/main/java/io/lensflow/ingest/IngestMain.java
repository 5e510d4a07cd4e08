package io.lensflow.ingest;

import io.lensflow.service.KafkaSettings;
import io.lensflow.service.SettingsException;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** The gateway as a process. Exit code 2 for wrong settings, 1 if it cannot start. */
public final class IngestMain {
  private IngestMain() {}

  public static void main(String[] args) throws InterruptedException {
    if (args.length > 0) {
      fail(2, "this process takes no arguments; it is configured by HOCON and LENSFLOW_INGEST_…");
      return;
    }
    try {
      IngestService service =
          IngestService.start(IngestSettings.load(Map.of()), KafkaSettings.load(Map.of()));
      Runtime.getRuntime().addShutdownHook(new Thread(service::close, "ingest-stop"));
    } catch (SettingsException e) {
      fail(2, e.getMessage());
      return;
    } catch (IOException e) {
      fail(1, e.getMessage());
      return;
    }
    new CountDownLatch(1).await(); // until a signal ends the process
  }

  private static void fail(int status, String message) {
    System.err.println("ingest: " + message);
    System.exit(status);
  }
}
