package io.lensflow.bench.soak;

import java.time.Duration;

/**
 * Something that is done to a process.
 *
 * @param at when, after the first request
 * @param kind what
 * @param target to whom
 * @param length how long it stays dead, or paused; zero for an orderly restart
 */
public record Fault(Duration at, Kind kind, Target target, Duration length) {
  /** What is done. */
  public enum Kind {
    /** SIGKILL, and a new start a while later. */
    KILL("kill -9"),
    /** SIGSTOP, and SIGCONT before anybody gives it up. */
    PAUSE("short pause"),
    /** SIGSTOP, and SIGCONT after its sessions, locks and transactions have run out. */
    HANG("pause beyond the session timeout"),
    /** SIGTERM, and a new start as soon as it has ended. */
    RESTART("restart");

    private final String words;

    Kind(String words) {
      this.words = words;
    }

    /** As the summary names it. */
    public String words() {
      return words;
    }
  }

  /** When its target is left alone again. */
  Duration end() {
    return at.plus(length);
  }

  @Override
  public String toString() {
    return "%5.1f s  %s of %s, %.1f s"
        .formatted(at.toMillis() / 1e3, kind.words(), target.label(), length.toMillis() / 1e3);
  }
}
