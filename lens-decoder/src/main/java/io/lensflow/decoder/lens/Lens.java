package io.lensflow.decoder.lens;

import io.lensflow.engine.lens.LensTranslator;
import io.lensflow.records.HookPoint;
import io.lensflow.schemas.lens.ServedLenses;
import java.util.List;
import java.util.Optional;

/**
 * A lens that rows can be decoded with: the plain logit lens, or a translator before it. Two lenses
 * are the same only if they are one object: a file that is written anew under the same name is
 * another lens, and no batch mixes the two. Thread-safe, but for what the translator says of
 * itself.
 */
public final class Lens {
  /** Final norm and head alone. */
  public static final Lens LOGIT = new Lens(ServedLenses.LOGIT, null);

  private final String name;
  private final LensTranslator translator;

  private Lens(String name, LensTranslator translator) {
    this.name = name;
    this.translator = translator;
  }

  /** The lens that a translator makes. */
  public static Lens of(LensTranslator translator) {
    return new Lens(translator.name(), translator);
  }

  /** By which requests choose it and results name it. */
  public String name() {
    return name;
  }

  /** What comes before the final norm; null for the logit lens. */
  public LensTranslator translator() {
    return translator;
  }

  /**
   * Why rows cannot be looked at through this lens.
   *
   * @param hookPoint where they were captured
   * @param layers their layers
   * @return one sentence; empty if they can
   */
  public Optional<String> refusal(HookPoint hookPoint, List<Integer> layers) {
    if (translator == null) {
      return Optional.empty();
    }
    String made = translator.info().hookPoint().name();
    if (!made.equals(hookPoint.name())) {
      return Optional.of(
          "lens '%s' was made for rows of %s, not of %s".formatted(name, made, hookPoint));
    }
    return layers.stream()
        .filter(layer -> !translator.covers(layer))
        .findFirst()
        .map(layer -> "lens '%s' has no translator for layer %d".formatted(name, layer));
  }

  @Override
  public String toString() {
    return name;
  }
}
