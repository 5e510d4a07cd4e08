package io.lensflow.steering.http;

import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import io.lensflow.records.PolicyState;
import io.lensflow.records.SteeringPolicy;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.steering.policy.PolicyBook;
import io.lensflow.steering.policy.PolicyChanges;
import io.lensflow.steering.policy.PolicyDraft;
import io.lensflow.steering.policy.PolicyHistory;
import io.lensflow.steering.policy.PolicyId;
import io.lensflow.steering.policy.PolicyVersion;
import io.lensflow.steering.topics.AuditReader;
import io.lensflow.steering.vector.Change;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.worker.LiveWorkers;
import io.lensflow.steering.worker.Verdict;
import io.lensflow.steering.writer.Writer;
import io.lensflow.steering.writer.Written;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/** Policies over HTTP. Thread-safe. */
final class PolicyRoutes {
  private static final String POLICIES = "/v1/models/{model}/policies";
  private static final String POLICY = POLICIES + "/{policy}";

  private final PolicyBook book;
  private final PolicyChanges changes;
  private final LiveWorkers workers;
  private final AuditReader audit;
  private final WaitingCallers waiting;
  private final Writer writer;
  private final Bodies bodies;
  private final RequestParts parts;

  PolicyRoutes(
      PolicyBook book,
      PolicyChanges changes,
      LiveWorkers workers,
      AuditReader audit,
      WaitingCallers waiting,
      Writer writer,
      Bodies bodies,
      RequestParts parts) {
    this.book = book;
    this.changes = changes;
    this.workers = workers;
    this.audit = audit;
    this.waiting = waiting;
    this.writer = writer;
    this.bodies = bodies;
    this.parts = parts;
  }

  List<Route> routes() {
    return List.of(
        Route.read(HandlerType.GET, POLICIES, this::list),
        Route.read(HandlerType.GET, POLICY, this::get),
        Route.read(HandlerType.GET, POLICY + "/status", this::status),
        Route.read(HandlerType.GET, POLICY + "/history", this::history),
        Route.read(HandlerType.GET, POLICY + "/diff", this::diff),
        Route.write(HandlerType.PUT, POLICY, this::set),
        Route.write(HandlerType.POST, POLICY + "/rollback", this::rollback),
        Route.write(HandlerType.DELETE, POLICY, this::delete));
  }

  private void list(Context ctx) {
    String model = parts.model(ctx);
    ctx.json(
        Answers.object(
            "model",
            model,
            "policies",
            book.ofModel(model).stream().map(PolicyAnswers::policy).toList()));
  }

  private void get(Context ctx) {
    ctx.json(PolicyAnswers.policy(existing(parts.policyId(ctx))));
  }

  private SteeringPolicy existing(PolicyId id) {
    return book.find(id)
        .orElseThrow(
            () ->
                RefusedException.unknown(
                    "policy", "model '%s' has no policy '%s'".formatted(id.model(), id.name())));
  }

  private void status(Context ctx) {
    PolicyId id = parts.policyId(ctx);
    int newest = existing(id).getVersion();
    List<Map<String, Object>> states = new ArrayList<>();
    for (WorkerHeartbeat worker : workers.of(id.model())) {
      PolicyState state =
          worker.getPolicies().stream()
              .filter(one -> one.getPolicy().equals(id.name()))
              .findFirst()
              .orElse(new PolicyState(id.name(), 0, 0, ""));
      states.add(
          Answers.object(
              "worker", worker.getWorker(),
              "inEffect", state.getVersion(),
              "newest", state.getNewest(),
              "reason", state.getReason()));
    }
    ctx.json(
        Answers.object(
            "model", id.model(), "policy", id.name(), "version", newest, "workers", states));
  }

  private void history(Context ctx) {
    PolicyId id = parts.policyId(ctx);
    ctx.json(PolicyAnswers.history(id, historyOf(id)));
  }

  /** Also of a policy that has ended. */
  private PolicyHistory historyOf(PolicyId id) {
    PolicyHistory history = PolicyHistory.of(id, audit.of(id.key()));
    if (history.versions().isEmpty()) {
      existing(id);
    }
    return history;
  }

  private void diff(Context ctx) {
    PolicyId id = parts.policyId(ctx);
    PolicyHistory history = historyOf(id);
    PolicyVersion to =
        ctx.queryParam("to") == null ? history.before(0) : version(ctx, history, "to");
    PolicyVersion from =
        ctx.queryParam("from") == null
            ? history.before(to.version())
            : version(ctx, history, "from");
    ctx.json(PolicyAnswers.diff(id, from, to));
  }

  private static PolicyVersion version(Context ctx, PolicyHistory history, String field) {
    return history.version(field, RequestParts.number(field, ctx.queryParam(field)));
  }

  private void rollback(Context ctx) throws IOException {
    PolicyId id = parts.policyId(ctx);
    PolicyRollbackBody body = bodies.read(ctx, PolicyRollbackBody.class);
    // What is read here must still be the newest when the change is planned, or it is refused.
    int current = book.find(id).map(SteeringPolicy::getVersion).orElse(0);
    if (body.expectedVersion() != null && body.expectedVersion() != current) {
      throw RefusedException.outdated(body.expectedVersion(), current);
    }
    PolicyHistory history = historyOf(id);
    PolicyVersion to =
        body.to() == null ? history.before(current) : history.version("to", body.to());
    Origin origin = RequestParts.origin(ctx);
    change(
        ctx,
        id,
        () -> changes.rollback(id, to, current, origin),
        written -> Verdict.onPolicy(id.name(), written.change().versions().get(0)));
  }

  private void set(Context ctx) throws IOException {
    PolicyId id = parts.policyId(ctx);
    PolicyDraft draft = bodies.read(ctx, PolicyBody.class).toDraft();
    Origin origin = RequestParts.origin(ctx);
    change(
        ctx,
        id,
        () -> changes.set(id, draft, origin),
        written -> Verdict.onPolicy(id.name(), written.change().versions().get(0)));
  }

  private void delete(Context ctx) {
    PolicyId id = parts.policyId(ctx);
    Integer expected = RequestParts.expectedVersion(ctx);
    Origin origin = RequestParts.origin(ctx);
    change(
        ctx,
        id,
        () -> changes.delete(id, expected, origin),
        written -> Verdict.onPolicyGone(id.name(), written.next()));
  }

  private void change(
      Context ctx, PolicyId id, Supplier<Change> plan, Function<Written, Verdict> verdict) {
    try (WaitingCallers.Waiting wait = waiting.begin(ctx, id.model())) {
      Written written = writer.write(plan);
      SteeringPolicy policy = (SteeringPolicy) written.change().records().get(0).value();
      Map<String, Object> answer = PolicyAnswers.policy(policy);
      wait.report(answer, verdict.apply(written));
      ctx.json(answer);
    }
  }
}
