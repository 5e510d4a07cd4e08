package io.lensflow.schemas.ids;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.impl.TimeBasedEpochGenerator;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/** Ids of requests, attempts, jobs and events: UUIDv7, which sort by time. Thread-safe. */
public final class Ids {
  private static final int TIME_ORDERED_EPOCH = 7;
  private static final int RANDOM_BITS_BELOW_TIME = 16;

  private static final TimeBasedEpochGenerator GENERATOR = Generators.timeBasedEpochGenerator();

  private Ids() {}

  /** A new UUIDv7 in its usual form, 36 characters; later ones of this process sort after it. */
  public static String newId() {
    return GENERATOR.generate().toString();
  }

  /** When an id was made, to the millisecond; empty if the text is not a UUIDv7. */
  public static Optional<Instant> timeOf(String id) {
    if (id == null || id.length() != 36) {
      return Optional.empty();
    }
    try {
      UUID uuid = UUID.fromString(id);
      return uuid.version() == TIME_ORDERED_EPOCH
          ? Optional.of(
              Instant.ofEpochMilli(uuid.getMostSignificantBits() >>> RANDOM_BITS_BELOW_TIME))
          : Optional.empty();
    } catch (IllegalArgumentException notAnUuid) {
      return Optional.empty();
    }
  }
}
