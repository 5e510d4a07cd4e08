package io.lensflow.worker;

import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringAlias;
import io.lensflow.records.SteeringPolicy;
import io.lensflow.records.SteeringRequest;
import io.lensflow.records.SteeringVector;
import io.lensflow.records.VectorManifest;
import io.lensflow.records.VectorRecordType;
import io.lensflow.records.VectorSite;
import io.lensflow.records.VectorSiteRef;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/** Writes vectors, aliases and policies as the steering service would. */
final class PublishedVectors {
  private final Traffic traffic;
  private final String model;

  PublishedVectors(Traffic traffic, String model) {
    this.traffic = traffic;
    this.model = model;
  }

  /** Publishes a version whose first value shifts every next token, as the service would. */
  void publish(String name, int version, float shift) {
    publish(model, name, version, values(shift), manifest -> {}, site -> {});
    alias(model, name, "latest", version);
  }

  static float[] values(float shift) {
    float[] values = new float[ScriptedEngine.HIDDEN];
    values[0] = shift;
    return values;
  }

  void publish(
      String model,
      String name,
      int version,
      float[] values,
      Consumer<VectorManifest> manifestChange,
      Consumer<VectorSite> siteChange) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    CRC32C crc = new CRC32C();
    crc.update(bytes.duplicate());
    VectorSite site = new VectorSite(HookPoint.ATTENTION_INPUT, 1, bytes, crc.getValue(), 1.0);
    siteChange.accept(site);
    VectorManifest manifest =
        VectorManifest.newBuilder()
            .setHiddenSize(ScriptedEngine.HIDDEN)
            .setSites(List.of(new VectorSiteRef(HookPoint.ATTENTION_INPUT, 1, crc.getValue(), 1.0)))
            .build();
    manifestChange.accept(manifest);
    String key = model + "/" + name + "@" + version;
    SteeringVector.Builder base =
        SteeringVector.newBuilder()
            .setModel(model)
            .setName(name)
            .setVersion(version)
            .setCreatedAt(Instant.now());
    traffic.publish(
        traffic.topics.steeringVectors(),
        key + "/ATTENTION_INPUT/1",
        SteeringVector.newBuilder(base).setType(VectorRecordType.SITE).setSite(site).build());
    traffic.publish(
        traffic.topics.steeringVectors(),
        key,
        SteeringVector.newBuilder(base)
            .setType(VectorRecordType.MANIFEST)
            .setManifest(manifest)
            .build());
  }

  void alias(String model, String name, String alias, int version) {
    traffic.publish(
        traffic.topics.steeringAliases(),
        model + "/" + name + "/" + alias,
        SteeringAlias.newBuilder()
            .setModel(model)
            .setName(name)
            .setAlias(alias)
            .setVersion(version)
            .build());
  }

  /** Sets a policy that matching requests get {@code steering} by. */
  void policy(
      String name, int version, Map<String, String> labels, List<SteeringRequest> steering) {
    policy(name, version, labels, steering, p -> {});
  }

  void policy(
      String name,
      int version,
      Map<String, String> labels,
      List<SteeringRequest> steering,
      Consumer<SteeringPolicy> change) {
    SteeringPolicy policy =
        SteeringPolicy.newBuilder()
            .setModel(model)
            .setPolicy(name)
            .setVersion(version)
            .setEnabled(true)
            .setMatchLabels(labels)
            .setSteering(steering)
            .build();
    change.accept(policy);
    traffic.publish(traffic.topics.steeringPolicies(), model + "/" + name, policy);
  }
}
