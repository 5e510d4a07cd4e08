package io.lensflow.worker.steering;

import io.lensflow.records.Failure;
import io.lensflow.records.PolicyState;
import io.lensflow.records.SteeringPolicy;
import io.lensflow.records.SteeringRequest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The steering policies of one model: which version of each was read, and which is in effect. A
 * version takes effect when all that it names can be applied here; until then the one before it
 * stays.
 *
 * <p>One that stood in the topic when the worker started, and cannot take effect, has nothing
 * before it that the worker could remember. Requests that it matches fail then: running them
 * unsteered would lift, by a restart, a rule that may have been in force for weeks. Of one whose
 * record cannot be decoded nobody knows what it matches: it counts as matching everything.
 *
 * <p>Not thread-safe: owned by the table.
 */
final class PolicyCatalog {
  /** What an error of a policy's names: the field by which a request can do without. */
  private static final String FIELD = "policies";

  private final String model;
  private final SteeringKeys keys;
  private final Map<String, Entry> entries = new TreeMap<>();

  /** One policy. */
  private static final class Entry {
    /** What was decoded last; null before. */
    private SteeringPolicy newest;

    /** Whether a later record could not be decoded. */
    private boolean broken;

    /** What holds; null if nothing does. */
    private SteeringPolicy effective;

    /** Whether the worker cannot know what held before. */
    private boolean inherited;

    private Failure obstacle;

    boolean isBlocked() {
      return inherited && effective == null && obstacle != null;
    }

    /** What decides whether a request matches: what holds, or what would if it could. */
    SteeringPolicy matching() {
      return effective != null ? effective : isBlocked() ? newest : null;
    }

    boolean isInEffect() {
      return !broken && effective == newest;
    }

    /** Whether it fails every request: it cannot be told which ones it is for. */
    boolean blocksEverything() {
      return broken && isBlocked();
    }

    static int version(SteeringPolicy policy) {
      return policy == null ? 0 : policy.getVersion();
    }
  }

  /**
   * @param model served name
   */
  PolicyCatalog(String model) {
    this.model = model;
    this.keys = new SteeringKeys(model);
  }

  /**
   * Takes a policy's record; those of other models change nothing.
   *
   * @param atStart whether it stood in the topic when the worker started
   */
  void apply(SteeringUpdate.Policy update, boolean atStart) {
    SteeringPolicy value = update.value();
    if (!keys.isMine(update.key()) || (value != null && !value.getModel().equals(model))) {
      return;
    }
    String name = keys.policy(update.key());
    if (value == null || value.getDeleted()) {
      entries.remove(name);
      return;
    }
    Entry entry = entries.computeIfAbsent(name, key -> new Entry());
    entry.newest = value;
    entry.inherited = atStart || entry.isBlocked();
    entry.broken = false;
  }

  /**
   * Takes note of a policy's record that cannot be decoded: what held before stays.
   *
   * @param atStart whether it stood in the topic when the worker started
   */
  void refuse(SteeringUpdate.BrokenPolicy update, boolean atStart) {
    if (!keys.isMine(update.key())) {
      return;
    }
    String name = keys.policy(update.key());
    Entry entry = entries.computeIfAbsent(name, key -> new Entry());
    entry.inherited = atStart || entry.isBlocked();
    entry.broken = true;
    entry.obstacle =
        SteeringResolver.unavailable(
            "policy %s: %s; set it again".formatted(name, update.reason()), FIELD);
  }

  /** Lets the newest versions take effect whose vectors are all there. Call after every change. */
  void settle(SteeringResolver resolver) {
    for (Entry entry : entries.values()) {
      if (entry.broken || entry.isInEffect()) {
        continue;
      }
      entry.obstacle =
          entry.newest.getEnabled() ? obstacle(resolver.resolve(wishes(entry.newest))) : null;
      if (entry.obstacle == null) {
        entry.effective = entry.newest;
      }
    }
  }

  private static Failure obstacle(Resolution resolution) {
    if (resolution instanceof Resolution.Missing missing) {
      return missing.failure();
    }
    return resolution instanceof Resolution.Impossible impossible ? impossible.failure() : null;
  }

  /**
   * What a request is to be steered by: the vectors of the policy that matches it, save those that
   * the request names itself, then the request's own.
   */
  List<SteeringWish> wishes(Map<String, String> labels, List<SteeringWish> own) {
    Entry entry = match(labels);
    if (entry == null) {
      return own;
    }
    Set<String> named =
        own.stream().map(wish -> wish.vector().getName()).collect(Collectors.toSet());
    List<SteeringWish> all = new ArrayList<>();
    for (SteeringWish wish : wishes(entry.effective)) {
      if (!named.contains(wish.vector().getName())) {
        all.add(wish);
      }
    }
    all.addAll(own);
    return all;
  }

  /** Why the policy that matches cannot be obeyed; null if it can, or if none matches. */
  Failure obstacle(Map<String, String> labels) {
    Entry entry = match(labels);
    if (entry == null || !entry.isBlocked()) {
      return null;
    }
    return SteeringResolver.unavailable(
        "%s; it was in force when this worker started, so that nothing runs without it"
            .formatted(entry.obstacle.getMessage()),
        FIELD);
  }

  /**
   * The enabled policy with the most labels of those that match, the first by name of equals;
   * before all of them one that blocks everything. Null if none matches.
   */
  private Entry match(Map<String, String> labels) {
    Entry best = null;
    for (Entry entry : entries.values()) {
      if (entry.blocksEverything()) {
        return entry;
      }
      SteeringPolicy policy = entry.matching();
      boolean matches =
          policy != null
              && policy.getEnabled()
              && labels.entrySet().containsAll(policy.getMatchLabels().entrySet());
      if (matches
          && (best == null
              || policy.getMatchLabels().size() > best.matching().getMatchLabels().size())) {
        best = entry;
      }
    }
    return best;
  }

  private static List<SteeringWish> wishes(SteeringPolicy policy) {
    String label = policy.getPolicy() + "@" + policy.getVersion();
    List<SteeringWish> wishes = new ArrayList<>();
    for (SteeringRequest vector : policy.getSteering()) {
      wishes.add(new SteeringWish(vector, FIELD, label));
    }
    return wishes;
  }

  /** Where each policy stands, by name. */
  List<PolicyState> states() {
    return entries.entrySet().stream()
        .map(
            entry ->
                new PolicyState(
                    entry.getKey(),
                    Entry.version(entry.getValue().effective),
                    Entry.version(entry.getValue().newest),
                    reason(entry.getValue())))
        .sorted(Comparator.comparing(PolicyState::getPolicy))
        .toList();
  }

  private static String reason(Entry entry) {
    return entry.isInEffect() || entry.obstacle == null ? "" : entry.obstacle.getMessage();
  }
}
