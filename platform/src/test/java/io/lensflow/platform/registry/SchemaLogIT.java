package io.lensflow.platform.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.TextNode;
import io.lensflow.platform.broker.BrokerOptions;
import io.lensflow.platform.broker.EmbeddedBroker;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.junit.jupiter.api.Test;

/** The log over a broker that stops answering. */
class SchemaLogIT {
  @Test
  void shouldBecomeTheWriterLaterWhenTheBrokerDoesNotAnswerNow() throws Exception {
    try (EmbeddedBroker broker = EmbeddedBroker.start(BrokerOptions.temporary());
        SchemaLog log =
            new SchemaLog(
                new RegistryOptions(
                    broker.bootstrapServers(),
                    "127.0.0.1",
                    0,
                    "_schemas-stalled",
                    Map.of(ProducerConfig.MAX_BLOCK_MS_CONFIG, "500")))) {
      signal(broker, "STOP");
      try {
        assertThatThrownBy(log::becomeWriter).isInstanceOf(KafkaException.class);
        assertThat(log.isWriter()).isFalse();
      } finally {
        signal(broker, "CONT");
      }

      while (!log.isWriter()) {
        try {
          log.becomeWriter();
        } catch (KafkaException e) {
          // The broker makes up for what it slept through.
        }
      }
      List<String> read = new ArrayList<>();
      long end = log.append(new TextNode("key"), new TextNode("value")) + 1;
      log.readTo(end, (key, value) -> read.add(value.asText()));
      assertThat(read).containsExactly("value");
    }
  }

  private static void signal(EmbeddedBroker broker, String name)
      throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(broker.pid())).start();
    assertThat(kill.waitFor()).isZero();
  }
}
