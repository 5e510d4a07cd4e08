package io.lensflow.worker;

import io.lensflow.service.KafkaSettings;
import io.lensflow.service.SettingsException;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/**
 * A worker as a process. Exit codes: 1 if it cannot start, 2 for wrong settings, 70 after a failure
 * that only a new process can mend; 143 after SIGTERM, as any JVM, once it has stopped in an
 * orderly way.
 */
public final class WorkerMain {
  private static final int CANNOT_START = 1;
  private static final int WRONG_SETTINGS = 2;

  private WorkerMain() {}

  public static void main(String[] args) {
    if (args.length > 0) {
      end(
          WRONG_SETTINGS,
          "a worker takes no arguments; set lensflow.worker.* by -D, by a file (-Dconfig.file) or by LENSFLOW_WORKER_*");
    }
    try {
      WorkerService service =
          WorkerService.start(WorkerSettings.load(Map.of()), KafkaSettings.load(Map.of()));
      Runtime.getRuntime().addShutdownHook(new Thread(service::close, "worker-stop"));
      System.out.println("ready on port " + service.port());
      new CountDownLatch(1).await();
    } catch (SettingsException e) {
      end(WRONG_SETTINGS, e.getMessage());
    } catch (WorkerStartException e) {
      end(CANNOT_START, e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void end(int code, String message) {
    System.err.println("lensflow worker: " + message);
    System.exit(code);
  }
}
