package io.lensflow.steering.worker;

import io.lensflow.records.PolicyState;
import io.lensflow.records.RefusedVector;
import io.lensflow.records.VectorVersion;
import io.lensflow.records.WorkerHeartbeat;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;

/** What a worker made of a change, as its heartbeat tells. Stateless. */
@FunctionalInterface
public interface Verdict {
  /**
   * An answer.
   *
   * @param applied whether requests can use it now
   * @param reason why it was refused; empty if it was not
   */
  record Answer(boolean applied, String reason) {
    static final Answer APPLIED = new Answer(true, "");
  }

  /** Empty while the worker has not said. */
  Optional<Answer> of(WorkerHeartbeat heartbeat);

  /** Why the change is not applied yet, if the worker says so; empty text if it does not. */
  default String waitingFor(WorkerHeartbeat heartbeat) {
    return "";
  }

  /** Of a version of a vector. */
  static Verdict onVector(String name, int version) {
    return heartbeat -> {
      for (VectorVersion loaded : heartbeat.getVectors()) {
        if (loaded.getVersion() == version && loaded.getName().equals(name)) {
          return Optional.of(Answer.APPLIED);
        }
      }
      for (RefusedVector refused : heartbeat.getRefused()) {
        if (refused.getVersion() == version && refused.getName().equals(name)) {
          return Optional.of(new Answer(false, refused.getReason()));
        }
      }
      return Optional.empty();
    };
  }

  /**
   * Of an alias that was moved: its record was applied, and the version it means is loaded.
   *
   * @param next the offsets behind its record
   */
  static Verdict onAlias(String name, int version, Map<TopicPartition, Long> next) {
    Verdict loaded = onVector(name, version);
    return heartbeat -> {
      return hasRead(heartbeat, next) ? loaded.of(heartbeat) : Optional.empty();
    };
  }

  /** Of a version of a policy; one that waits for its vectors is not answered. */
  static Verdict onPolicy(String policy, int version) {
    return new Verdict() {
      @Override
      public Optional<Answer> of(WorkerHeartbeat heartbeat) {
        // A later version in effect means that this one was passed over.
        return state(heartbeat)
            .filter(state -> state.getVersion() >= version)
            .map(state -> Answer.APPLIED);
      }

      @Override
      public String waitingFor(WorkerHeartbeat heartbeat) {
        return state(heartbeat).map(PolicyState::getReason).orElse("");
      }

      private Optional<PolicyState> state(WorkerHeartbeat heartbeat) {
        return heartbeat.getPolicies().stream()
            .filter(state -> state.getPolicy().equals(policy))
            .findFirst();
      }
    };
  }

  /** Of the end of a policy. */
  static Verdict onPolicyGone(String policy, Map<TopicPartition, Long> next) {
    return heartbeat -> {
      boolean there =
          heartbeat.getPolicies().stream().anyMatch(state -> state.getPolicy().equals(policy));
      return hasRead(heartbeat, next) && !there ? Optional.of(Answer.APPLIED) : Optional.empty();
    };
  }

  private static boolean hasRead(WorkerHeartbeat heartbeat, Map<TopicPartition, Long> next) {
    Map<String, Long> applied = heartbeat.getAppliedOffsets();
    return next.entrySet().stream()
        .allMatch(e -> applied.getOrDefault(e.getKey().toString(), 0L) >= e.getValue());
  }
}
