package io.lensflow.steering.writer;

import io.lensflow.records.SteeringCommand;
import io.lensflow.records.SteeringPolicy;
import io.lensflow.records.VectorManifest;
import io.lensflow.records.VectorSite;
import io.lensflow.steering.policy.PolicyChanges;
import io.lensflow.steering.policy.PolicyDraft;
import io.lensflow.steering.policy.PolicyId;
import io.lensflow.steering.vector.Change;
import io.lensflow.steering.vector.Float32;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.SiteDraft;
import io.lensflow.steering.vector.VectorChanges;
import io.lensflow.steering.vector.VectorDraft;
import io.lensflow.steering.vector.VectorId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Turns commands into changes. Immutable and thread-safe. */
final class CommandReader {
  private final VectorChanges changes;
  private final PolicyChanges policies;

  CommandReader(VectorChanges changes, PolicyChanges policies) {
    this.changes = changes;
    this.policies = policies;
  }

  /**
   * What a command writes.
   *
   * @throws RefusedException if it cannot be carried out
   */
  Change read(SteeringCommand command) {
    if (command.getCommandId().isBlank()) {
      throw RefusedException.invalid(
          "commandId", "must be set, best to a UUIDv7: it makes sure that a command acts once");
    }
    VectorId id = new VectorId(command.getModel(), command.getName());
    Origin origin = new Origin(command.getActor(), command.getCommandId());
    return switch (command.getType()) {
      case PUBLISH -> changes.publish(id, draft(command), origin);
      case RETIRE ->
          command.getVersion() == 0
              ? changes.retireAll(id, command.getExpectedVersion(), origin)
              : changes.retire(id, command.getVersion(), origin);
      case SET_ALIAS ->
          changes.setAlias(
              id, command.getAlias(), command.getVersion(), command.getExpectedVersion(), origin);
      case DELETE_ALIAS ->
          changes.deleteAlias(id, command.getAlias(), command.getExpectedVersion(), origin);
      case SET_POLICY ->
          policies.set(
              new PolicyId(command.getModel(), command.getName()), policy(command), origin);
      case DELETE_POLICY ->
          policies.delete(
              new PolicyId(command.getModel(), command.getName()),
              command.getExpectedVersion(),
              origin);
      case UNKNOWN ->
          throw RefusedException.invalid(
              "type",
              "%s is not carried out by this version of the service; it knows PUBLISH, RETIRE, SET_ALIAS, DELETE_ALIAS, SET_POLICY and DELETE_POLICY"
                  .formatted(command.getType()));
    };
  }

  private static PolicyDraft policy(SteeringCommand command) {
    SteeringPolicy policy = command.getPolicy();
    if (policy == null) {
      throw RefusedException.invalid("policy", "must be set for SET_POLICY");
    }
    return new PolicyDraft(
        policy.getEnabled(),
        policy.getMatchLabels(),
        policy.getSteering(),
        policy.getDescription(),
        command.getExpectedVersion());
  }

  private static VectorDraft draft(SteeringCommand command) {
    VectorManifest manifest = command.getManifest();
    if (manifest == null) {
      throw RefusedException.invalid("manifest", "must be set for PUBLISH");
    }
    List<SiteDraft> sites = new ArrayList<>();
    for (VectorSite site : command.getSites()) {
      sites.add(site(site, "sites[%d].".formatted(sites.size())));
    }
    return VectorDraft.of(manifest, sites, manifest.getSources(), command.getExpectedVersion());
  }

  private static SiteDraft site(VectorSite site, String field) {
    ByteBuffer bytes = site.getValues();
    if (site.getCrc32c() != 0 && site.getCrc32c() != Float32.crc32c(bytes)) {
      throw RefusedException.invalid(
          field + "crc32c",
          "is %d, but the values have %d; leave it 0 to have it computed"
              .formatted(site.getCrc32c(), Float32.crc32c(bytes)));
    }
    try {
      return new SiteDraft(field, site.getLayer(), site.getHookPoint(), Float32.decode(bytes));
    } catch (IllegalArgumentException e) {
      throw RefusedException.invalid(field + "values", e.getMessage());
    }
  }
}
