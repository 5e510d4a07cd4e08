package io.lensflow.decoder.lens;

import java.util.List;
import java.util.Optional;

/** The lenses that a decoder holds at the moment. Thread-safe. */
public interface LensSource {
  /** The logit lens and no other. */
  LensSource LOGIT_ONLY =
      new LensSource() {
        @Override
        public Optional<Lens> find(String name) {
          return Optional.of(Lens.LOGIT).filter(lens -> lens.name().equals(name));
        }

        @Override
        public List<String> names() {
          return List.of(Lens.LOGIT.name());
        }
      };

  /** The lens of this name. */
  Optional<Lens> find(String name);

  /** Names of all of them, for messages. */
  List<String> names();
}
