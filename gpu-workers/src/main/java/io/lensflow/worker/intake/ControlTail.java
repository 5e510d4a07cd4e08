package io.lensflow.worker.intake;

import akka.actor.typed.ActorRef;
import io.lensflow.records.ControlType;
import io.lensflow.records.RequestControl;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.service.TopicTail;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands the orders of {@code request-control} to the intake. Read from the beginning, so that a
 * request which was cancelled before this worker started is not run. Used by the tail's thread.
 */
public final class ControlTail implements TopicTail.Handler {
  private static final Logger log = LoggerFactory.getLogger(ControlTail.class);

  private final RecordDeserializer<RequestControl> deserializer;
  private final ActorRef<RequestIntake.Command> intake;

  public ControlTail(
      RecordDeserializer<RequestControl> deserializer, ActorRef<RequestIntake.Command> intake) {
    this.deserializer = deserializer;
    this.intake = intake;
  }

  @Override
  public void records(
      List<ConsumerRecord<byte[], byte[]>> records, Map<TopicPartition, Long> nextOffsets) {
    for (ConsumerRecord<byte[], byte[]> record : records) {
      try {
        RequestControl order = deserializer.deserialize(record.topic(), record.value());
        if (order != null && order.getType() == ControlType.CANCEL) {
          intake.tell(new RequestIntake.Cancel(order.getRequestId(), order.getReason()));
        }
      } catch (RecordFormatException e) {
        log.warn(
            "{} at {} cannot be decoded and is passed over: {}",
            new TopicPartition(record.topic(), record.partition()),
            record.offset(),
            e.getMessage());
      }
    }
  }

  @Override
  public void caughtUp() {
    intake.tell(new RequestIntake.ControlCaughtUp());
  }
}
