package io.lensflow.cli.command;

import ch.qos.logback.classic.Level;
import io.lensflow.cli.Logging;
import io.lensflow.cli.option.ConnectionOptions;
import io.lensflow.cli.option.SettingOptions;
import io.lensflow.service.KafkaSettings;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Mixin;

/**
 * A service as a process of its own: settings, start, and on until it is told to stop. It logs to
 * standard error.
 */
abstract class ServiceCommand implements Callable<Integer> {
  @Mixin ConnectionOptions connection;
  @Mixin SettingOptions settings;

  @Override
  public final Integer call() throws Exception {
    Logging.toStandardError(Level.INFO);
    Map<String, Object> overrides = new LinkedHashMap<>(connection.overrides());
    addTo(overrides);
    overrides.putAll(settings.overrides());
    AutoCloseable service = start(overrides, KafkaSettings.load(overrides));
    return Stopping.closing(service, () -> await(service));
  }

  /** Puts the command's own options to the settings. */
  abstract void addTo(Map<String, Object> overrides);

  abstract AutoCloseable start(Map<String, Object> overrides, KafkaSettings kafka) throws Exception;

  /** Waits until the service ends by itself, which most never do. */
  int await(AutoCloseable service) throws Exception {
    new CountDownLatch(1).await();
    return 0;
  }

  static void put(Map<String, Object> overrides, String key, Object value) {
    if (value != null) {
      overrides.put(key, value.toString());
    }
  }
}
