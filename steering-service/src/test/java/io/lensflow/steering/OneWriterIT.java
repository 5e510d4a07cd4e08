package io.lensflow.steering;

import static io.lensflow.steering.SteeringHttp.vector;
import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.SteeringVector;
import io.lensflow.records.VectorRecordType;
import io.lensflow.steering.SteeringHttp.Answer;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Two processes over one broker: at any time one of them writes. */
@ExtendWith(KafkaExtension.class)
class OneWriterIT {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final String PUBLISH = "{'layer': 0, 'values': [1, 2]}";

  @Test
  void shouldGiveNoVersionTwiceWhenTheWriterIsPausedAndWoken(KafkaEnvironment kafka)
      throws Exception {
    kafka.createTopics();
    try (SteeringChild one = SteeringChild.start(kafka, "3s");
        SteeringChild two = SteeringChild.start(kafka, "3s")) {
      Await.until("one of them writes", LIMIT, () -> one.isWriter() || two.isWriter());
      SteeringChild writer = one.isWriter() ? one : two;
      SteeringChild other = writer == one ? two : one;

      assertThat(writer.http().publish("m", "v").json().get("version").asInt()).isEqualTo(1);
      Answer redirected = other.http().publish("m", "v");
      assertThat(redirected.status()).isEqualTo(307);
      assertThat(redirected.header("Location")).isEqualTo(writer.url() + vector("m", "v"));
      Await.until(
          "the other shows it too",
          LIMIT,
          () -> other.http().get(vector("m", "v")).status() == 200);

      writer.pause();
      // The socket takes it; the process will see it when it wakes, still believing to be the
      // writer.
      CompletableFuture<Answer> early = writer.http().sendAsync("POST", vector("m", "v"), PUBLISH);
      Await.until("the other takes over", LIMIT, other::isWriter);
      assertThat(other.http().publish("m", "v").json().get("version").asInt()).isEqualTo(2);

      writer.wake();
      Answer late = early.join();
      assertThat(late.status()).as(late.text()).isIn(307, 503);
      Await.until(
          "the first shows the way to the second",
          LIMIT,
          () ->
              (other.url() + vector("m", "v"))
                  .equals(writer.http().publish("m", "v").header("Location")));
      assertThat(other.http().publish("m", "v").json().get("version").asInt()).isEqualTo(3);
      Await.until(
          "the first reads what the second wrote",
          LIMIT,
          () -> writer.http().get(vector("m", "v")).json().get("latest").asInt() == 3);

      assertThat(manifests(kafka)).containsExactly(1, 2, 3);
    }
  }

  private static List<Integer> manifests(KafkaEnvironment kafka) {
    try (Topics topics = new Topics(kafka)) {
      return topics.read(kafka.catalogue().steeringVectors(), SteeringVector.class).stream()
          .map(Topics.Seen::value)
          .filter(value -> value.getType() == VectorRecordType.MANIFEST)
          .map(SteeringVector::getVersion)
          .toList();
    }
  }
}
