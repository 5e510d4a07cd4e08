package io.lensflow.decoder.replay;

import io.lensflow.decoder.lens.Lens;
import io.lensflow.decoder.lens.LensSource;
import io.lensflow.engine.checkpoint.CheckpointException;
import io.lensflow.engine.lens.LensTranslator;
import io.lensflow.engine.lens.TranslatorFile;
import io.lensflow.engine.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The logit lens and those of given files. Not thread-safe while it is filled or closed; between
 * that any thread may look things up.
 */
final class LensFiles implements LensSource, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LensFiles.class);
  private static final String SUFFIX = ".safetensors";

  private final Map<String, Lens> lenses = new LinkedHashMap<>();

  LensFiles() {
    lenses.put(Lens.LOGIT.name(), Lens.LOGIT);
  }

  /**
   * Looks for lenses by name.
   *
   * @param places lens files, and folders of them
   * @param names the lenses that are wanted
   * @return the files that hold them
   * @throws IOException if a file that is named is no lens; in a folder, what is none is passed
   *     over
   */
  static List<Path> find(List<Path> places, Set<String> names) throws IOException {
    List<Path> found = new ArrayList<>();
    for (Path place : places) {
      if (!Files.isDirectory(place)) {
        try (TranslatorFile lens = TranslatorFile.open(place)) {
          if (names.contains(lens.info().name())) {
            found.add(place);
          }
        }
        continue;
      }
      try (Stream<Path> entries = Files.list(place)) {
        entries.filter(file -> isLens(file, names)).sorted().forEach(found::add);
      }
    }
    return found;
  }

  private static boolean isLens(Path file, Set<String> names) {
    if (!file.getFileName().toString().endsWith(SUFFIX)) {
      return false;
    }
    try (TranslatorFile lens = TranslatorFile.open(file)) {
      return names.contains(lens.info().name());
    } catch (IOException e) {
      log.warn("passed over: {}", e.getMessage());
      return false;
    }
  }

  /**
   * Loads files; to be called on the thread that will use the translators.
   *
   * @throws CheckpointException if one is not of this model, or two have the same name
   */
  void load(List<Path> files, ModelConfig config, String model, String revision)
      throws IOException {
    for (Path file : files) {
      LensTranslator translator = LensTranslator.load(file, config, model, revision);
      if (lenses.containsKey(translator.name())) {
        String name = translator.name();
        translator.close();
        throw new CheckpointException(
            "%s: there is another lens named '%s'".formatted(file.toAbsolutePath(), name));
      }
      lenses.put(translator.name(), Lens.of(translator));
    }
  }

  @Override
  public Optional<Lens> find(String name) {
    return Optional.ofNullable(lenses.get(name));
  }

  @Override
  public List<String> names() {
    return List.copyOf(lenses.keySet());
  }

  @Override
  public void close() {
    for (Lens lens : lenses.values()) {
      if (lens.translator() != null) {
        lens.translator().close();
      }
    }
  }
}
