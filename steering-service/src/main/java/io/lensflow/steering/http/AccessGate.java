package io.lensflow.steering.http;

import io.javalin.http.Context;
import io.javalin.http.Handler;
import io.lensflow.service.OpsServer;
import java.util.Optional;

/**
 * Lets callers through that may do what they ask for: 401 without a known token, 403 where the
 * token only reads. Without tokens in the settings everybody may everything. Thread-safe.
 */
final class AccessGate {
  /** The token's name, for the audit topic; set where tokens are required. */
  static final String HOLDER = "lensflow-token-name";

  private static final String CHALLENGE = "WWW-Authenticate";

  private final BearerTokens tokens;

  AccessGate(BearerTokens tokens) {
    this.tokens = tokens;
  }

  /** A handler that only callers run who may. */
  Handler guard(Scope scope, Handler handler) {
    if (scope == Scope.PUBLIC || !tokens.required()) {
      return handler;
    }
    return ctx -> {
      Optional<BearerTokens.Holder> holder = tokens.holder(ctx.header("Authorization"));
      if (holder.isEmpty()) {
        refuse(
            ctx,
            401,
            "UNAUTHENTICATED",
            "Bearer realm=\"lensflow\"",
            "send the header Authorization: Bearer TOKEN with a token of lensflow.steering.auth");
      } else if (scope == Scope.WRITE && holder.get().scope() != Scope.WRITE) {
        refuse(
            ctx,
            403,
            "FORBIDDEN",
            "Bearer realm=\"lensflow\", error=\"insufficient_scope\", scope=\"write\"",
            "the token of '%s' only reads; changes need one of lensflow.steering.auth.write-tokens"
                .formatted(holder.get().name()));
      } else {
        ctx.attribute(HOLDER, holder.get().name());
        handler.handle(ctx);
      }
    };
  }

  private static void refuse(
      Context ctx, int status, String code, String challenge, String message) {
    ctx.header(CHALLENGE, challenge);
    OpsServer.error(ctx, status, code, message, null);
  }
}
