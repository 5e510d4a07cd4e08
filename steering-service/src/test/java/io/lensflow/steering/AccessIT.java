package io.lensflow.steering;

import static io.lensflow.steering.SteeringHttp.vector;
import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.AuditEvent;
import io.lensflow.steering.SteeringHttp.Answer;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** An instance that asks for tokens. */
@ExtendWith(KafkaExtension.class)
class AccessIT {
  @Test
  void shouldLetLookWhoMayReadAndChangeWhoMayWrite(KafkaEnvironment kafka) throws Exception {
    Map<String, Object> tokens =
        Map.of(
            "lensflow.steering.auth.read-tokens", "board:reads-reads-reads",
            "lensflow.steering.auth.write-tokens", "ann:writes-writes-writes");
    try (RunningService running = new RunningService(kafka, tokens)) {
      SteeringHttp nobody = running.http();
      SteeringHttp board = nobody.withToken("reads-reads-reads");
      SteeringHttp ann = nobody.withToken("writes-writes-writes");

      Answer unknown = nobody.withToken("guess-guess-guess").get("/v1/models/m/vectors");
      assertThat(unknown.status()).isEqualTo(401);
      assertThat(unknown.header("WWW-Authenticate")).startsWith("Bearer");
      assertThat(nobody.get("/v1/models/m/vectors").status()).isEqualTo(401);
      assertThat(nobody.publish("m", "v").status()).isEqualTo(401);
      assertThat(nobody.get("/healthz").status()).isEqualTo(200);
      assertThat(nobody.get("/openapi.json").status()).isEqualTo(200);

      Answer forbidden = board.publish("m", "v");
      assertThat(forbidden.status()).isEqualTo(403);
      assertThat(forbidden.text()).contains("board").doesNotContain("reads-reads");
      assertThat(board.delete(vector("m", "v")).status()).isEqualTo(403);
      assertThat(ann.publish("m", "v").status()).isEqualTo(201);
      assertThat(board.get(vector("m", "v")).status()).isEqualTo(200);
      assertThat(ann.get(vector("m", "v")).status()).isEqualTo(200);

      // The token says who it was, whatever the caller says of itself.
      assertThat(running.audit("m")).extracting(AuditEvent::getActor).containsExactly("ann");
    }
  }
}
