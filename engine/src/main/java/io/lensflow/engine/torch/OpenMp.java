package io.lensflow.engine.torch;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the threads of one operator wait for each other.
 *
 * <p>By default they spin. That is a little faster on an idle machine, and ruinous on a busy one: a
 * thread that spins for a partner which has lost its processor burns the very time that the partner
 * needs. With a broker and a decoder beside a worker on two cores, decoding fell from 24 tokens a
 * second to 1.5. So they sleep, unless the environment says otherwise.
 */
final class OpenMp {
  private static final Logger log = LoggerFactory.getLogger(OpenMp.class);
  private static final String WAIT_POLICY = "OMP_WAIT_POLICY";

  private OpenMp() {}

  /** The C library's own environment, which Java cannot change. */
  private interface CLibrary extends Library {
    int setenv(String name, String value, int overwrite);
  }

  /** Makes waiting threads sleep. Has an effect only before the native library is loaded. */
  static void sleepInsteadOfSpinning() {
    if (System.getenv(WAIT_POLICY) != null || Platform.isWindows()) {
      return;
    }
    try {
      Native.load("c", CLibrary.class).setenv(WAIT_POLICY, "PASSIVE", 0);
    } catch (UnsatisfiedLinkError e) {
      log.warn("cannot set {}=PASSIVE; set it yourself if processors are shared", WAIT_POLICY, e);
    }
  }
}
