package io.lensflow.steering.tokenizer;

import io.lensflow.client.ServedModel;
import io.lensflow.hub.ModelFiles;
import io.lensflow.hub.ModelHub;
import io.lensflow.hub.ProgressLines;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.text.Tokenizer;
import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tokenizers of the models that this service was told of, loaded when first asked for. Thread-safe:
 * one is loaded at a time.
 */
public final class ModelTokenizers implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ModelTokenizers.class);
  private static final String SETTING = "lensflow.steering.tokenizers";

  private final ModelHub hub;
  private final Map<String, String> sources;
  private final Map<String, Tokenizer> loaded = new HashMap<>();

  /**
   * @param hub fetches what is not here yet
   * @param sources folders or hub ids by served name
   */
  public ModelTokenizers(ModelHub hub, Map<String, String> sources) {
    this.hub = hub;
    this.sources = Map.copyOf(sources);
  }

  /**
   * Reads the setting: {@code NAME=FOLDER}, {@code NAME=org/name[@revision]}, comma separated.
   *
   * @return folders or hub ids by served name
   * @throws IllegalArgumentException if it is anything else
   */
  public static Map<String, String> parse(String text) {
    Map<String, String> sources = new LinkedHashMap<>();
    for (String part : text.split(",")) {
      if (part.isBlank()) {
        continue;
      }
      String[] halves = part.split("=", 2);
      if (halves.length < 2 || halves[0].isBlank() || halves[1].isBlank()) {
        throw new IllegalArgumentException(
            "tokenizers: '%s' must be MODEL=FOLDER or MODEL=org/name".formatted(part.strip()));
      }
      sources.put(halves[0].strip(), halves[1].strip());
    }
    return sources;
  }

  /**
   * A model's tokenizer; it stays this object's.
   *
   * @throws RefusedException if none is known, it cannot be had, or it is not the one that the
   *     model's workers use
   */
  public synchronized Tokenizer of(ServedModel model) {
    Tokenizer tokenizer = loaded.computeIfAbsent(model.name(), this::load);
    if (!model.tokenizerHash().isEmpty() && !model.tokenizerHash().equals(tokenizer.hash())) {
      loaded.remove(model.name()).close();
      throw RefusedException.invalid(
          "model",
          "the tokenizer at '%s' is not the one that the workers of '%s' use (SHA-256 of tokenizer.json: %s, theirs %s); correct %s"
              .formatted(
                  sources.get(model.name()),
                  model.name(),
                  tokenizer.hash(),
                  model.tokenizerHash(),
                  SETTING));
    }
    return tokenizer;
  }

  private Tokenizer load(String model) {
    String source = sources.get(model);
    if (source == null) {
      throw RefusedException.invalid(
          "model",
          "this service has no tokenizer of '%s'; add %s=FOLDER or %s=org/name to %s (LENSFLOW_STEERING_TOKENIZERS)"
              .formatted(model, model, model, SETTING));
    }
    try {
      return Tokenizer.load(
          hub.resolve(source, ModelFiles.TOKENIZER, new ProgressLines(log::info)));
    } catch (IOException | IllegalArgumentException e) {
      throw RefusedException.invalid(
          "model",
          "the tokenizer of '%s' cannot be had from '%s' (%s): %s"
              .formatted(model, source, SETTING, e.getMessage()));
    }
  }

  @Override
  public synchronized void close() {
    loaded.values().forEach(Tokenizer::close);
    loaded.clear();
  }
}
