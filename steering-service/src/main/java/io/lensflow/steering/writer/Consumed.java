package io.lensflow.steering.writer;

import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * What a transaction consumes beside what it writes.
 *
 * @param offsets next offsets
 * @param group the consumer's membership: a transaction of a member that was replaced fails
 */
record Consumed(Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata group) {}
