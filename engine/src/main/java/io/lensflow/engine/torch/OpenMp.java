package io.lensflow.engine.torch;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the threads of one operator wait for each other, and for the next operator.
 *
 * <p>By default they spin for milliseconds. That is fast on an idle machine and ruinous on a busy
 * one: a thread that spins for a partner which has lost its processor burns the very time that the
 * partner needs. Sleeping at once is no better: waking a thread takes longer than most operators
 * run, hundreds of times a step. So they spin for a few times as long as a wake-up takes, and then
 * sleep.
 */
final class OpenMp {
  /**
   * Rounds of GNU OpenMP's waiting loop, some 20 ns each: 0.2 ms, more than lies between linears.
   */
  private static final String SPINS = "10000";

  private static final String SPIN_COUNT = "GOMP_SPINCOUNT";
  private static final String WAIT_POLICY = "OMP_WAIT_POLICY";

  private static final Logger log = LoggerFactory.getLogger(OpenMp.class);

  private OpenMp() {}

  /** The C library's own environment, which Java cannot change. */
  private interface CLibrary extends Library {
    int setenv(String name, String value, int overwrite);
  }

  /**
   * Makes waiting threads spin for a moment, then sleep, unless the environment says otherwise. Has
   * an effect only before the native library is loaded.
   */
  static void spinBriefly() {
    if (System.getenv(WAIT_POLICY) != null
        || System.getenv(SPIN_COUNT) != null
        || Platform.isWindows()) {
      return;
    }
    try {
      Native.load("c", CLibrary.class).setenv(SPIN_COUNT, SPINS, 0);
    } catch (UnsatisfiedLinkError e) {
      log.warn("cannot set {}={}; set it yourself if processors are shared", SPIN_COUNT, SPINS, e);
    }
  }
}
