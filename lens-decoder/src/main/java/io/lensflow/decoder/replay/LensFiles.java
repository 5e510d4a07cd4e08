package io.lensflow.decoder.replay;

import io.lensflow.decoder.lens.Lens;
import io.lensflow.decoder.lens.LensSource;
import io.lensflow.engine.checkpoint.CheckpointException;
import io.lensflow.engine.lens.LensTranslator;
import io.lensflow.engine.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The logit lens and those of given files. Not thread-safe while it is filled or closed; between
 * that any thread may look things up.
 */
final class LensFiles implements LensSource, AutoCloseable {
  private final Map<String, Lens> lenses = new LinkedHashMap<>();

  LensFiles() {
    lenses.put(Lens.LOGIT.name(), Lens.LOGIT);
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
