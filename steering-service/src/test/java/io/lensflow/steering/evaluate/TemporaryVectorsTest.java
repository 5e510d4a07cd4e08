package io.lensflow.steering.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.records.HookPoint;
import io.lensflow.records.VectorManifest;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.steering.job.JobContext;
import io.lensflow.steering.vector.BookFold;
import io.lensflow.steering.vector.Change;
import io.lensflow.steering.vector.ChangePlanner;
import io.lensflow.steering.vector.DraftCheck;
import io.lensflow.steering.vector.NamedVector;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.SiteDraft;
import io.lensflow.steering.vector.VectorBook;
import io.lensflow.steering.vector.VectorChanges;
import io.lensflow.steering.vector.VectorId;
import io.lensflow.steering.worker.LiveWorkers;
import io.lensflow.steering.writer.ChangeWriter;
import io.lensflow.steering.writer.NotWriterException;
import io.lensflow.steering.writer.Written;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TemporaryVectorsTest {
  private static final String MODEL = "m";
  private static final VectorManifest LIKE =
      VectorManifest.newBuilder().setHiddenSize(2).setPositions("all").build();

  private final VectorBook book = new VectorBook();
  private final BookFold fold = new BookFold(book);
  private final VectorChanges changes =
      new VectorChanges(
          book,
          new ChangePlanner(new TopicCatalogue("", 3, (short) 1), Clock.systemUTC()),
          new DraftCheck(100),
          model -> List.of(),
          id -> List.of());

  /** Thrown by every write while it is there. */
  private RuntimeException broken;

  private final ChangeWriter writer =
      new ChangeWriter() {
        @Override
        public boolean isOpen() {
          return true;
        }

        @Override
        public Written write(Supplier<Change> plan) {
          if (broken != null) {
            throw broken;
          }
          return new Written(fold.write(plan.get()), Map.of());
        }
      };

  private final VectorDesk desk = new VectorDesk(book, changes, writer, new LiveWorkers(List::of));

  private record Job(String jobId, boolean isHandedOver) implements JobContext {
    @Override
    public String model() {
      return MODEL;
    }

    @Override
    public Instant createdAt() {
      return Instant.EPOCH;
    }

    @Override
    public String actor() {
      return "ann";
    }

    @Override
    public boolean resumed() {
      return false;
    }

    @Override
    public void progress(long done, long total) {}

    @Override
    public boolean isStopped() {
      return isHandedOver;
    }
  }

  private static TemporaryVectors vectors(VectorDesk desk, String job, boolean handedOver) {
    return new TemporaryVectors(desk, new Job(job, handedOver), LIKE);
  }

  private String run(boolean handedOver, Callable<String> work) throws Exception {
    TemporaryVectors vectors = vectors(desk, "one", handedOver);
    return vectors.during(
        () -> {
          assertThat(publish(vectors)).isEqualTo(1);
          return work.call();
        });
  }

  private static int publish(TemporaryVectors vectors) {
    return vectors.version(
        "RANDOM", () -> List.of(new SiteDraft("", 1, HookPoint.MLP_INPUT, new float[] {1, 2})));
  }

  private List<String> names() {
    return book.ofModel(MODEL).stream().map(NamedVector::id).map(id -> id.name()).toList();
  }

  @Test
  void shouldRetireWhatItPublishedWhenTheWorkIsDone() throws Exception {
    assertThat(run(false, () -> "done")).isEqualTo("done");
    assertThat(names()).isEmpty();
  }

  @Test
  void shouldRetireWhenTheWorkFails() {
    assertThatThrownBy(
            () ->
                run(
                    false,
                    () -> {
                      throw new IllegalStateException("no");
                    }))
        .hasMessage("no");
    assertThat(names()).isEmpty();
  }

  @Test
  void shouldKeepTheVersionsThatRequestsPinWhenTheJobGoesOnLater() {
    for (RuntimeException later :
        List.of(new TimeoutException("the broker is slow"), new NotWriterException("not now"))) {
      assertThatThrownBy(
              () ->
                  run(
                      false,
                      () -> {
                        throw later;
                      }))
          .isSameAs(later);
      assertThat(names()).containsExactly("job.one");
    }
    assertThat(publish(vectors(desk, "one", false))).as("found again").isEqualTo(1);
  }

  @Test
  void shouldKeepThemWhenAnotherInstanceGoesOn() throws Exception {
    run(true, () -> "");
    assertThat(names()).containsExactly("job.one");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldGiveTheResultWhenTheyCannotBeRetired(boolean retriable) throws Exception {
    String done =
        run(
            false,
            () -> {
              broken = retriable ? new TimeoutException("slow") : new KafkaException("broken");
              return "done";
            });
    assertThat(done).isEqualTo("done");
    assertThat(names()).containsExactly("job.one");
  }

  @Test
  void shouldRetireWhatJobsThatAreOverLeft() {
    publish(vectors(desk, "gone", false));
    publish(vectors(desk, "queued", false));

    broken = new TimeoutException("slow");
    TemporaryVectors.retireLeftovers(desk, MODEL, "queued"::equals);
    assertThat(names()).containsExactly("job.gone", "job.queued");

    broken = null;
    TemporaryVectors.retireLeftovers(desk, MODEL, "queued"::equals);
    assertThat(names()).containsExactly("job.queued");
  }

  @Test
  void shouldTakeNoAliasThatWouldKeepThemFromBeingRetired() {
    publish(vectors(desk, "one", false));
    VectorId id = new VectorId(MODEL, "job.one");
    assertThatThrownBy(() -> changes.setAlias(id, "mine", 1, null, Origin.http("ann")))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("is kept for jobs");
  }
}
