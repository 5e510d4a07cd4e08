package io.lensflow.steering;

import io.lensflow.client.ClientException;
import io.lensflow.service.KafkaSettings;
import io.lensflow.service.SettingsException;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.KafkaException;

/**
 * The steering service as a process. Configured by {@code application.conf}, system properties and
 * environment, see {@code reference.conf}; SIGTERM stops it in order.
 */
public final class SteeringMain {
  private SteeringMain() {}

  /** Runs until the process is asked to stop; exit code 1 with one line if it cannot start. */
  public static void main(String[] args) throws InterruptedException {
    try {
      SteeringService service =
          SteeringService.start(SteeringSettings.load(Map.of()), KafkaSettings.load(Map.of()));
      Runtime.getRuntime().addShutdownHook(new Thread(service::close, "steering-stop"));
      System.out.println("steering service listens on port " + service.port());
    } catch (SettingsException
        | IOException
        | TimeoutException
        | KafkaException
        | ClientException e) {
      System.err.println("steering service cannot start: " + e.getMessage());
      System.exit(1);
    }
    new CountDownLatch(1).await();
  }
}
