package io.lensflow.steering;

import static io.lensflow.steering.SteeringHttp.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.lensflow.records.AuditEvent;
import io.lensflow.records.DeadLetter;
import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringCommand;
import io.lensflow.records.SteeringCommandType;
import io.lensflow.records.VectorManifest;
import io.lensflow.records.VectorSite;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.steering.vector.Float32;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Commands on the topic: carried out once, or put aside with the reason. */
@ExtendWith(KafkaExtension.class)
class SteeringCommandsIT {
  private static RunningService running;

  @BeforeAll
  static void start(KafkaEnvironment kafka) throws Exception {
    running = new RunningService(kafka, Map.of());
  }

  @AfterAll
  static void stop() {
    running.close();
  }

  @Test
  void shouldCarryOutCommandsOnce() throws Exception {
    SteeringCommand publish = command(SteeringCommandType.PUBLISH, 0, "");
    running.topics.write(running.names.steeringCommands(), null, publish);
    running.topics.write(running.names.steeringCommands(), null, publish);
    running.topics.write(
        running.names.steeringCommands(),
        null,
        command(SteeringCommandType.SET_ALIAS, 1, "production"));
    Await.until(
        "the alias is set", RunningService.LIMIT, () -> aliases("m8").contains("\"production\":1"));

    running.restart();
    running.topics.write(running.names.steeringCommands(), null, publish);
    running.topics.write(
        running.names.steeringCommands(),
        null,
        command(SteeringCommandType.DELETE_ALIAS, 0, "production"));
    Await.until(
        "the alias is gone", RunningService.LIMIT, () -> !aliases("m8").contains("production"));
    assertThat(aliases("m8")).isEqualTo("{\"latest\":1}");
    running.topics.write(
        running.names.steeringCommands(), null, command(SteeringCommandType.RETIRE, 1, ""));
    Await.until(
        "the vector is gone",
        RunningService.LIMIT,
        () -> running.http().get(vector("m8", "v")).status() == 404);

    assertThat(running.audit("m8"))
        .extracting(AuditEvent::getAction, AuditEvent::getActor)
        .containsExactly(
            tuple("PUBLISH", "robot"),
            tuple("SET_ALIAS", "robot"),
            tuple("DELETE_ALIAS", "robot"),
            tuple("RETIRE", "robot"));
    assertThat(running.audit("m8").get(0).getDetails())
        .containsEntry("commandId", publish.getCommandId());
  }

  @Test
  void shouldPutCommandsAsideWhenTheyCannotBeCarriedOut() {
    running.topics.writeBytes(running.names.steeringCommands(), new byte[] {1, 2, 3});
    SteeringCommand wrong = command(SteeringCommandType.PUBLISH, 0, "");
    wrong.setModel("m9");
    wrong.getSites().get(0).setCrc32c(1);
    running.topics.write(running.names.steeringCommands(), null, wrong);
    SteeringCommand empty = command(SteeringCommandType.SET_POLICY, 0, "");
    empty.setModel("m9");
    running.topics.write(running.names.steeringCommands(), null, empty);
    SteeringCommand unknown = command(SteeringCommandType.UNKNOWN, 0, "");
    unknown.setModel("m9");
    running.topics.write(running.names.steeringCommands(), null, unknown);
    SteeringCommand last = command(SteeringCommandType.PUBLISH, 0, "");
    last.setModel("m9");
    running.topics.write(running.names.steeringCommands(), null, last);

    Await.until(
        "the good one is done", RunningService.LIMIT, () -> aliases("m9").contains("\"latest\":1"));
    assertThat(running.topics.read(running.names.deadLetters(), DeadLetter.class))
        .extracting(
            seen -> seen.value().getService(),
            seen -> seen.value().getTopic(),
            seen -> seen.value().getFailure().getCode(),
            seen -> seen.value().getFailure().getField())
        .contains(
            tuple("steering-service", running.names.steeringCommands(), "UNDECODABLE", null),
            tuple(
                "steering-service",
                running.names.steeringCommands(),
                "INVALID_REQUEST",
                "sites[0].crc32c"),
            tuple(
                "steering-service", running.names.steeringCommands(), "INVALID_REQUEST", "policy"),
            tuple("steering-service", running.names.steeringCommands(), "INVALID_REQUEST", "type"));
  }

  private static SteeringCommand command(SteeringCommandType type, int version, String alias) {
    VectorSite site =
        VectorSite.newBuilder()
            .setHookPoint(HookPoint.RESIDUAL_POST)
            .setLayer(1)
            .setValues(Float32.encode(new float[] {1, 2}))
            .build();
    return SteeringCommand.newBuilder()
        .setCommandId(Ids.newId())
        .setCreatedAt(Instant.now())
        .setType(type)
        .setModel("m8")
        .setName("v")
        .setVersion(version)
        .setAlias(alias)
        .setActor("robot")
        .setManifest(VectorManifest.newBuilder().build())
        .setSites(new ArrayList<>(List.of(site)))
        .build();
  }

  private static String aliases(String model) {
    return running.http().get(vector(model, "v")).json().path("aliases").toString();
  }
}
