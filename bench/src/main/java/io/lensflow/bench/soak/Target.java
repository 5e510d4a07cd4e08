package io.lensflow.bench.soak;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** A process that faults strike. */
public enum Target {
  BROKER(Role.BROKER),
  WORKER_1(Role.WORKER),
  WORKER_2(Role.WORKER),
  DECODER_1(Role.DECODER),
  DECODER_2(Role.DECODER);

  /** What a process does in the system. */
  public enum Role {
    BROKER,
    WORKER,
    DECODER;

    /** The processes of this role. */
    public List<Target> targets() {
      return Arrays.stream(Target.values()).filter(target -> target.role == this).toList();
    }
  }

  private final Role role;

  Target(Role role) {
    this.role = role;
  }

  /** What it does. */
  public Role role() {
    return role;
  }

  /** Its name in logs and settings, such as {@code worker-1}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
