package io.lensflow.steering.vector;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringVector;
import io.lensflow.schemas.topics.TopicCatalogue;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

class VectorBookTest {
  private static final VectorId ID = new VectorId("m", "v");

  private final TopicCatalogue topics = new TopicCatalogue("", 3, (short) 1);
  private final VectorBook book = new VectorBook();

  @Test
  void shouldShowAVersionOnlyWhenAllOfItIsThereInWhateverOrder() {
    List<ProducerRecord<String, SpecificRecord>> records = new ArrayList<>(vectorRecords());
    Collections.reverse(records);
    for (ProducerRecord<String, SpecificRecord> record : records) {
      assertThat(book.find(ID).versions()).isEmpty();
      take(record.key(), (SteeringVector) record.value());
    }
    assertThat(book.find(ID).version(1).sites())
        .extracting(StoredSite::layer)
        .containsExactly(2, 1);
    assertThat(book.ofModel("m")).hasSize(1);
    assertThat(book.ofModel("other")).isEmpty();
  }

  @Test
  void shouldHideAVersionWhenASiteIsNotTheOneOfTheManifest() {
    vectorRecords().forEach(record -> take(record.key(), (SteeringVector) record.value()));
    SteeringVector other = (SteeringVector) vectorRecords().get(0).value();
    other.getSite().setCrc32c(1);
    take("m/v@1/RESIDUAL_POST/2", other);
    assertThat(book.find(ID).versions()).isEmpty();
  }

  @Test
  void shouldKeepANumberTakenWhenItsRecordCannotBeRead() {
    take("m/v@9", null);
    assertThat(book.find(ID).versions()).isEmpty();
    assertThat(book.find(ID).highestVersion()).isEqualTo(9);
    assertThat(book.versionCount()).isZero();
  }

  private void take(String key, SteeringVector value) {
    book.apply(VectorKey.ofVectorRecord(key).orElseThrow(), value, 0, 0);
  }

  private List<ProducerRecord<String, SpecificRecord>> vectorRecords() {
    VectorDraft draft =
        Drafts.of(
            new SiteDraft("", 2, HookPoint.RESIDUAL_POST, new float[] {3, 4}),
            new SiteDraft("", 1, HookPoint.ATTENTION_INPUT, new float[] {0, 1}));
    return new ChangePlanner(topics, Clock.systemUTC())
        .publish(NamedVector.absent(ID), draft, Origin.http("")).records().stream()
            .filter(record -> record.topic().equals(topics.steeringVectors()))
            .toList();
  }
}
