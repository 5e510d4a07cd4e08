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
 * The steering service as a process. Exit codes: 0 after an orderly stop (SIGTERM), 1 if it cannot
 * start, 2 for wrong settings.
 */
public final class SteeringMain {
  private static final int CANNOT_START = 1;
  private static final int WRONG_SETTINGS = 2;

  private SteeringMain() {}

  public static void main(String[] args) {
    if (args.length > 0) {
      end(
          WRONG_SETTINGS,
          "the steering service takes no arguments; set lensflow.steering.* by -D, by a file (-Dconfig.file) or by LENSFLOW_STEERING_*");
    }
    try {
      SteeringService service =
          SteeringService.start(SteeringSettings.load(Map.of()), KafkaSettings.load(Map.of()));
      Runtime.getRuntime().addShutdownHook(new Thread(service::close, "steering-stop"));
      System.out.println("ready on port " + service.port());
      new CountDownLatch(1).await();
    } catch (SettingsException e) {
      end(WRONG_SETTINGS, e.getMessage());
    } catch (IOException | TimeoutException | KafkaException | ClientException e) {
      end(CANNOT_START, e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void end(int code, String message) {
    System.err.println("lensflow steering-service: " + message);
    System.exit(code);
  }
}
