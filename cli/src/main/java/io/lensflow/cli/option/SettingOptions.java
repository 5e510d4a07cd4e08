package io.lensflow.cli.option;

import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** Any setting of any service, by its full key. */
public final class SettingOptions {
  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = {
        "A setting by its full key, such as lensflow.worker.slots=4; repeatable.",
        "The reference.conf files list them all; each has an environment variable too."
      })
  Map<String, String> settings = new LinkedHashMap<>();

  /** The settings given, by full key. */
  public Map<String, Object> overrides() {
    return new LinkedHashMap<>(settings);
  }
}
