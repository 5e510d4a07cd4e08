package io.lensflow.worker.intake;

import io.lensflow.worker.request.Lane;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * A request that a source has taken from its topic and holds until it is completed. Immutable but
 * for the record's bytes, which nobody changes.
 *
 * @param record as it lies in the topic, undecoded
 * @param deliveryCount how often it was handed out, this time included; 0 where the broker does not
 *     count. A lower bound: a broker that crashed starts again
 * @param ticket what its source knows it by
 * @param lane the lane that it came through
 */
public record Delivery(
    ConsumerRecord<byte[], byte[]> record, int deliveryCount, long ticket, Lane lane) {}
