package io.lensflow.steering.policy;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringRequest;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.steering.vector.BookFold;
import io.lensflow.steering.vector.ChangePlanner;
import io.lensflow.steering.vector.Drafts;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.VectorBook;
import io.lensflow.steering.vector.VectorId;
import java.time.Clock;
import java.util.List;
import org.junit.jupiter.api.Test;

class PolicyCheckTest {
  private final VectorBook book = new VectorBook();
  private final ChangePlanner planner =
      new ChangePlanner(new TopicCatalogue("", 3, (short) 1), Clock.systemUTC());

  private void check(String name) {
    VectorId id = new VectorId("m", name);
    new BookFold(book)
        .write(
            planner.publish(
                book.find(id), Drafts.at(1, HookPoint.MLP_INPUT, 1, 2), Origin.http("ann")));
    SteeringRequest wish = SteeringRequest.newBuilder().setName(name).build();
    PolicyCheck.vector("steering[0]", wish, book.find(id), List.of());
  }

  @Test
  void shouldRefuseAVectorThatAJobHasToRetire() {
    assertThatCode(() -> check("tone")).doesNotThrowAnyException();
    assertThatThrownBy(() -> check("job.one"))
        .isInstanceOf(RefusedException.class)
        .hasMessageStartingWith("steering[0].name: 'job.one' is kept for jobs");
  }
}
