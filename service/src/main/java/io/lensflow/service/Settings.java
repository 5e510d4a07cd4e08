package io.lensflow.service;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Reads one section of the HOCON configuration and refuses what it does not know, so that a
 * misspelt key fails at start and not in a month.
 *
 * <p>The known keys are those of the {@code reference.conf} files on the class path. An empty
 * object there ({@code properties {}}) is open: it takes any keys. Every key can be set by an
 * environment variable, because each default line in {@code reference.conf} is followed by {@code
 * key = ${?LENSFLOW_…}}.
 */
public final class Settings {
  private Settings() {}

  /** Reads a section from the application's configuration. */
  public static <T> T load(String section, Function<Config, T> reader) {
    return load(section, Map.of(), reader);
  }

  /**
   * Reads a section, with values that win over files and environment.
   *
   * @param section such as {@code lensflow.worker}
   * @param overrides full keys to values
   * @param reader makes the typed settings; what it throws as {@link ConfigException} or {@link
   *     IllegalArgumentException} comes out as {@link SettingsException}
   * @throws SettingsException naming the key
   */
  public static <T> T load(String section, Map<String, ?> overrides, Function<Config, T> reader) {
    try {
      Config all =
          ConfigFactory.parseMap(overrides, "overrides")
              .withFallback(ConfigFactory.load())
              .resolve();
      Config reference = ConfigFactory.defaultReference().getConfig(section);
      Config config = all.getConfig(section);
      refuseUnknown(section, config.root(), reference.root());
      return reader.apply(config);
    } catch (ConfigException | IllegalArgumentException e) {
      throw new SettingsException(section + ": " + e.getMessage(), e);
    }
  }

  /**
   * Checks a value.
   *
   * @throws IllegalArgumentException with the key and what is wrong, if {@code valid} is false
   */
  public static void check(boolean valid, String key, String expectation) {
    if (!valid) {
      throw new IllegalArgumentException(key + " must be " + expectation);
    }
  }

  private static void refuseUnknown(String path, ConfigObject given, ConfigObject known) {
    if (known.isEmpty()) {
      return;
    }
    for (Map.Entry<String, ConfigValue> entry : given.entrySet()) {
      String key = path + "." + entry.getKey();
      ConfigValue reference = known.get(entry.getKey());
      if (reference == null) {
        throw new SettingsException(
            "unknown setting %s (%s); known here are %s"
                .formatted(
                    key, entry.getValue().origin().description(), new TreeSet<>(known.keySet())));
      }
      if (reference instanceof ConfigObject object
          && entry.getValue().valueType() == ConfigValueType.OBJECT) {
        refuseUnknown(key, (ConfigObject) entry.getValue(), object);
      }
    }
  }
}
