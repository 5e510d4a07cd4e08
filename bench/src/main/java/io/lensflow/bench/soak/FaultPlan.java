package io.lensflow.bench.soak;

import io.lensflow.bench.soak.Fault.Kind;
import io.lensflow.bench.soak.Target.Role;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/**
 * When what happens to whom: a function of the seed. A plan of {@value #LEAST} faults or more has
 * two kills of workers, two of decoders, one of the broker, and a long pause of a worker and of a
 * decoder, at any place; the rest is drawn.
 */
final class FaultPlan {
  /** Fewest faults that hold one of each that has to be there. */
  static final int LEAST = 7;

  /** Requests are to run before the first one, and to end after the last. */
  private static final Duration LEAD = Duration.ofSeconds(4);

  /** What a process that starts again needs before it is worth being struck again. */
  private static final Duration RECOVERY = Duration.ofSeconds(8);

  /** Beyond sessions (6 s), locks (10 s); of transactions (10 s) some outlast it, some do not. */
  private static final int[] HANG_MILLIS = {10_500, 13_000};

  private static final int[] PAUSE_MILLIS = {300, 3_000};
  private static final int[] DEAD_MILLIS = {0, 4_000};
  private static final double JITTER = 0.8;

  private record What(Kind kind, Role role) {}

  private FaultPlan() {}

  /**
   * Makes a plan.
   *
   * @param duration for how long requests are sent
   * @param count how many faults
   * @return by time
   */
  static List<Fault> of(long seed, Duration duration, int count) {
    Random random = new Random(seed ^ 0x5eedfa17L);
    List<What> whats = whats(random, count);
    List<Fault> plan = new ArrayList<>();
    double slot = (double) duration.minus(LEAD).toMillis() / Math.max(1, count);
    for (int i = 0; i < count; i++) {
      double within = 0.5 + JITTER * (random.nextDouble() - 0.5);
      Duration at = LEAD.plusMillis(Math.round((i + within) * slot));
      What what = takeFree(whats, plan, at);
      plan.add(new Fault(at, what.kind(), free(what.role(), plan), length(what, random)));
    }
    plan.sort(Comparator.comparing(Fault::at));
    return List.copyOf(plan);
  }

  private static List<What> whats(Random random, int count) {
    List<What> whats =
        new ArrayList<>(
            List.of(
                new What(Kind.KILL, Role.BROKER),
                new What(Kind.KILL, Role.WORKER),
                new What(Kind.KILL, Role.DECODER),
                new What(Kind.HANG, Role.WORKER),
                new What(Kind.HANG, Role.DECODER),
                new What(Kind.KILL, Role.WORKER),
                new What(Kind.KILL, Role.DECODER)));
    List<Kind> kinds =
        List.of(
            Kind.KILL,
            Kind.KILL,
            Kind.KILL,
            Kind.PAUSE,
            Kind.PAUSE,
            Kind.HANG,
            Kind.HANG,
            Kind.RESTART);
    List<Role> roles =
        List.of(
            Role.WORKER,
            Role.WORKER,
            Role.WORKER,
            Role.DECODER,
            Role.DECODER,
            Role.DECODER,
            Role.BROKER,
            Role.BROKER);
    while (whats.size() < count) {
      whats.add(
          new What(
              kinds.get(random.nextInt(kinds.size())), roles.get(random.nextInt(roles.size()))));
    }
    whats = new ArrayList<>(whats.subList(0, count));
    Collections.shuffle(whats, random);
    return whats;
  }

  /**
   * The next one that somebody can suffer who is not still recovering; if there is none, the next.
   */
  private static What takeFree(List<What> whats, List<Fault> plan, Duration at) {
    for (What what : whats) {
      if (!isBusy(free(what.role(), plan), plan, at)) {
        whats.remove(what);
        return what;
      }
    }
    return whats.remove(0);
  }

  /** Who of a role was left alone for longest. */
  private static Target free(Role role, List<Fault> plan) {
    return role.targets().stream()
        .min(Comparator.comparing(target -> busyUntil(target, plan)))
        .orElseThrow();
  }

  private static boolean isBusy(Target target, List<Fault> plan, Duration at) {
    return busyUntil(target, plan).compareTo(at) > 0;
  }

  private static Duration busyUntil(Target target, List<Fault> plan) {
    return plan.stream()
        .filter(fault -> fault.target() == target)
        .map(fault -> fault.end().plus(RECOVERY))
        .max(Comparator.naturalOrder())
        .orElse(Duration.ZERO);
  }

  private static Duration length(What what, Random random) {
    return switch (what.kind()) {
      case KILL -> between(DEAD_MILLIS, random);
      case PAUSE -> between(PAUSE_MILLIS, random);
      case HANG -> between(HANG_MILLIS, random);
      case RESTART -> Duration.ZERO;
    };
  }

  private static Duration between(int[] millis, Random random) {
    return Duration.ofMillis(millis[0] + random.nextInt(millis[1] - millis[0] + 1));
  }
}
