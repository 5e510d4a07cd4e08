package io.lensflow.decoder.delivery;

import io.lensflow.decoder.loss.LossFinder;
import io.lensflow.records.ActivationChunk;
import java.util.function.Supplier;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Where the loop's records come from and go to.
 *
 * @param consumer of undecoded records, in the decoder's group, without automatic commits or resets
 * @param deserializer of their values
 * @param producers makes transactional producers, all with the same transactional id
 * @param losses asked what a hole has cost; closed with the loop
 */
public record KafkaEnds(
    Consumer<byte[], byte[]> consumer,
    Deserializer<ActivationChunk> deserializer,
    Supplier<Producer<String, SpecificRecord>> producers,
    LossFinder losses) {}
