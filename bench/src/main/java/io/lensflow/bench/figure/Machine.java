package io.lensflow.bench.figure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What the figures were taken on, as the system tells it. Stateless. */
public final class Machine {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
  private static final Path MEMORY_INFO = Path.of("/proc/meminfo");

  /** Instructions that decide how fast a linear layer is. */
  private static final Set<String> EXTENSIONS =
      Set.of("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_tile", "asimd");

  private Machine() {}

  /** For the report: processors, their name, extensions that matter, memory, system. */
  public static Map<String, Object> describe() {
    Map<String, Object> machine = new LinkedHashMap<>();
    machine.put("processors", Runtime.getRuntime().availableProcessors());
    machine.put("architecture", System.getProperty("os.arch"));
    machine.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    value(CPU_INFO, "model name").ifPresent(name -> machine.put("processor", name));
    machine.put("extensions", List.copyOf(extensions()));
    value(MEMORY_INFO, "MemTotal").ifPresent(size -> machine.put("memory", size));
    return machine;
  }

  /** Whether the processor multiplies bfloat16 matrices in tiles (Intel AMX). */
  public static boolean hasAmx() {
    return extensions().contains("amx_bf16");
  }

  private static Set<String> extensions() {
    Set<String> found = new TreeSet<>();
    value(CPU_INFO, "flags")
        .or(() -> value(CPU_INFO, "Features"))
        .ifPresent(flags -> found.addAll(Arrays.asList(flags.split(" "))));
    found.retainAll(EXTENSIONS);
    return found;
  }

  /** The first value of a key in a file of lines {@code key : value}; empty where there is none. */
  static Optional<String> value(Path file, String key) {
    if (!Files.isReadable(file)) {
      return Optional.empty();
    }
    try {
      return Files.readAllLines(file).stream()
          .filter(line -> line.startsWith(key) && line.contains(":"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst();
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
