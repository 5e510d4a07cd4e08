package io.lensflow.ingest;

import io.lensflow.service.KafkaSettings;
import io.lensflow.service.SettingsException;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.KafkaException;

/** The gateway as a process. Exit code 2 for wrong settings, 1 if it cannot start. */
public final class IngestMain {
  private static final int CANNOT_START = 1;
  private static final int WRONG_SETTINGS = 2;

  private IngestMain() {}

  public static void main(String[] args) {
    if (args.length > 0) {
      end(
          WRONG_SETTINGS,
          "ingest takes no arguments; set lensflow.ingest.* by -D, by a file (-Dconfig.file) or by LENSFLOW_INGEST_*");
    }
    try {
      IngestService service =
          IngestService.start(IngestSettings.load(Map.of()), KafkaSettings.load(Map.of()));
      Runtime.getRuntime().addShutdownHook(new Thread(service::close, "ingest-stop"));
      System.out.println("ready on port " + service.port());
      new CountDownLatch(1).await(); // until a signal ends the process
    } catch (SettingsException e) {
      end(WRONG_SETTINGS, e.getMessage());
    } catch (IOException | KafkaException e) {
      end(CANNOT_START, e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void end(int code, String message) {
    System.err.println("lensflow ingest: " + message);
    System.exit(code);
  }
}
