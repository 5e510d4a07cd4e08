package io.lensflow.worker.ranks;

import java.util.List;
import java.util.Locale;

/**
 * Tells device faults that outlive a reload of the engine from errors that do not.
 *
 * <p>After an illegal access or a failed assertion a CUDA context answers every later call with the
 * same error, in the same process, whatever is reloaded; and after an {@link Error} of the virtual
 * machine nothing in the process can be trusted. Only a new process helps then.
 */
final class EngineFailures {
  private static final List<String> STICKY =
      List.of(
          "device-side assert",
          "illegal memory access",
          "illegal instruction",
          "misaligned address",
          "unspecified launch failure",
          "hardware stack error",
          "uncorrectable ecc",
          "cudaerrordevicesunavailable",
          "device unavailable",
          "driver shutting down",
          "nccl error");

  private EngineFailures() {}

  /** Whether the process has to end. */
  static boolean isSticky(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof Error && !(cause instanceof AssertionError)) {
        return true;
      }
      String message = String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT);
      if (STICKY.stream().anyMatch(message::contains)) {
        return true;
      }
    }
    return false;
  }
}
