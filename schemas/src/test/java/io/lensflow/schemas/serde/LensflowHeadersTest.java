package io.lensflow.schemas.serde;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.SteeringVector;
import io.lensflow.records.VectorRecordType;
import io.lensflow.records.WorkerHeartbeat;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.junit.jupiter.api.Test;

class LensflowHeadersTest {
  @Test
  void shouldCarryAllHeadersWhenTheValueHasTheFields() {
    CompletionEvent event =
        CompletionEvent.newBuilder()
            .setRequestId("r")
            .setAttemptId("a")
            .setModel("größer")
            .setType(CompletionType.FINISHED)
            .build();

    ProducerRecord<String, CompletionEvent> record =
        LensflowHeaders.record("completions", "r", event, "00-1-2-01");

    assertThat(record.topic()).isEqualTo("completions");
    assertThat(record.key()).isEqualTo("r");
    assertThat(record.value()).isSameAs(event);
    Headers headers = record.headers();
    assertThat(LensflowHeaders.get(headers, "lf-type")).contains("CompletionEvent.FINISHED");
    assertThat(LensflowHeaders.get(headers, "lf-request")).contains("r");
    assertThat(LensflowHeaders.get(headers, "lf-attempt")).contains("a");
    assertThat(LensflowHeaders.get(headers, "lf-model")).contains("größer");
    assertThat(LensflowHeaders.get(headers, "traceparent")).contains("00-1-2-01");
  }

  @Test
  void shouldNameTheTypeWhenTheRecordHasOne() {
    assertThat(typeOf(ActivationChunk.newBuilder().build())).isEqualTo("ActivationChunk");
    assertThat(typeOf(WorkerHeartbeat.newBuilder().build())).isEqualTo("WorkerHeartbeat");
    assertThat(typeOf(SteeringVector.newBuilder().setType(VectorRecordType.MANIFEST).build()))
        .isEqualTo("SteeringVector.MANIFEST");
  }

  @Test
  void shouldLeaveOutHeadersWhenThereIsNothingToSay() {
    Headers headers =
        LensflowHeaders.record("workers", "w", WorkerHeartbeat.newBuilder().build(), null)
            .headers();

    assertThat(headers).hasSize(1);
    assertThat(LensflowHeaders.get(headers, "lf-model")).isEmpty();
  }

  private static String typeOf(org.apache.avro.specific.SpecificRecord value) {
    Headers headers = LensflowHeaders.record("t", null, value, null).headers();
    return LensflowHeaders.get(headers, LensflowHeaders.TYPE).orElseThrow();
  }
}
