package io.lensflow.steering.evaluate;

import io.lensflow.records.VectorManifest;
import io.lensflow.steering.job.JobContext;
import io.lensflow.steering.vector.Change;
import io.lensflow.steering.vector.NamedVector;
import io.lensflow.steering.vector.Names;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.SiteDraft;
import io.lensflow.steering.vector.VectorDraft;
import io.lensflow.steering.vector.VectorId;
import io.lensflow.steering.worker.Rollout;
import io.lensflow.steering.worker.Verdict;
import io.lensflow.steering.writer.NotWriterException;
import io.lensflow.steering.writer.OutcomeUnknownException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RetriableException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Vectors that exist while a job runs. Workers know vectors only from {@code steering-vectors}, so
 * a control is a version like any other, under the name {@code job.ID}, and retired when the job
 * ends, however it ends. While anybody may go on with the job they stay: its requests that are on
 * their way have pinned them, and would fail.
 *
 * <p>An instance that takes the job over finds the versions by their description and goes on with
 * them: its requests are the ones that were sent before. What a job left that nobody took over is
 * retired by the next evaluation of the model. Used by one thread.
 */
final class TemporaryVectors {
  private static final Logger log = LoggerFactory.getLogger(TemporaryVectors.class);
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final VectorDesk desk;
  private final JobContext job;
  private final VectorId id;
  private final VectorManifest like;

  /**
   * @param like whose operation they have: they are compared with it
   */
  TemporaryVectors(VectorDesk desk, JobContext job, VectorManifest like) {
    this.desk = desk;
    this.job = job;
    this.like = like;
    this.id = new VectorId(job.model(), Names.OF_JOBS + job.jobId());
  }

  /** What they are named. */
  String name() {
    return id.name();
  }

  /**
   * The version of a kind, published now unless an earlier run of the job did.
   *
   * @param kind tells it from the job's others
   * @param sites what it is, if it is not there; the same whenever it is asked
   * @throws RefusedException if it cannot be published, or a worker refuses it
   */
  int version(String kind, Supplier<List<SiteDraft>> sites) {
    Optional<Integer> there =
        desk.book().find(id).versions().values().stream()
            .filter(version -> version.manifest().getMethod().equals(kind))
            .map(version -> version.version())
            .findFirst();
    return there.orElseGet(() -> publish(kind, sites.get()));
  }

  private int publish(String kind, List<SiteDraft> sites) {
    VectorDraft draft = VectorDraft.temporary(like, kind, sites, "belongs to job " + job.jobId());
    Rollout rollout = Rollout.begin(desk.workers(), id.model());
    Change change =
        desk.writer()
            .write(() -> desk.changes().publishOfJob(id, draft, Origin.http(job.actor())))
            .change();
    int version = change.versions().get(0);
    for (Rollout.Outcome outcome : rollout.await(Verdict.onVector(id.name(), version), PATIENCE)) {
      if (outcome.state() == Rollout.State.REFUSED) {
        throw RefusedException.conflict(
            "VECTOR_REFUSED",
            "name",
            "worker '%s' refused the vector %s of this evaluation: %s"
                .formatted(outcome.worker(), kind, outcome.reason()));
      }
    }
    return version;
  }

  /**
   * Does what they are needed for, and retires them then, unless the work goes on: here later,
   * because the broker was too slow, or in another instance. Whether they could be retired does not
   * change what came of the work.
   */
  <T> T during(Callable<T> work) throws Exception {
    boolean goesOn = false;
    try {
      return work.call();
    } catch (RetriableException | NotWriterException | OutcomeUnknownException e) {
      goesOn = true;
      throw e;
    } finally {
      if (!goesOn && !job.isHandedOver()) {
        retire(desk, desk.book().find(id), job.actor());
      }
    }
  }

  /**
   * Retires what jobs that are over have left.
   *
   * @param isActive whether a job, by its id, may still need its vectors
   */
  static void retireLeftovers(VectorDesk desk, String model, Predicate<String> isActive) {
    for (NamedVector vector : desk.book().ofModel(model)) {
      String name = vector.id().name();
      if (Names.isOfJob(name) && !isActive.test(name.substring(Names.OF_JOBS.length()))) {
        retire(desk, vector, "");
      }
    }
  }

  private static void retire(VectorDesk desk, NamedVector vector, String actor) {
    if (vector.versions().isEmpty()) {
      return;
    }
    try {
      desk.writer().write(() -> desk.changes().retireAll(vector.id(), null, Origin.http(actor)));
    } catch (RefusedException | NotWriterException | OutcomeUnknownException | KafkaException e) {
      // The next evaluation of the model tries again.
      log.warn("{} stays for now: {}", vector.id().key(), e.getMessage());
    }
  }
}
