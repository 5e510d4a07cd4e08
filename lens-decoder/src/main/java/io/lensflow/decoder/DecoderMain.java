package io.lensflow.decoder;

import io.lensflow.service.KafkaSettings;
import io.lensflow.service.SettingsException;
import java.io.IOException;
import java.util.Map;

/**
 * The decoder as a process of its own. Exit codes: 0 after an orderly stop, 1 if it cannot start,
 * 70 if it had to give up and should be started again.
 */
public final class DecoderMain {
  private static final int CANNOT_START = 1;
  private static final int RESTART = 70;

  private DecoderMain() {}

  /** Runs until the process is told to end. Settings come from configuration and environment. */
  public static void main(String[] arguments) throws InterruptedException {
    DecoderService service;
    try {
      service = DecoderService.start(DecoderSettings.load(Map.of()), KafkaSettings.load(Map.of()));
    } catch (IOException | SettingsException e) {
      System.err.println("lens-decoder: " + e.getMessage());
      System.exit(CANNOT_START);
      return;
    }
    Runtime.getRuntime().addShutdownHook(new Thread(service::close, "lens-decoder-shutdown"));
    if (service.awaitEnd() != null) {
      // Not exit(): its hook would wait for kernels that may never return.
      Runtime.getRuntime().halt(RESTART);
    }
  }
}
