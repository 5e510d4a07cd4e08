package io.lensflow.steering.http;

import io.javalin.http.Context;
import io.javalin.http.Handler;
import io.lensflow.service.OpsServer;
import io.lensflow.steering.writer.NotWriterException;
import io.lensflow.steering.writer.OutcomeUnknownException;
import io.lensflow.steering.writer.Writer;
import io.lensflow.steering.writer.WriterAddress;
import java.net.URI;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Lets writes through on the instance that writes, and shows the way to it on the others: 307 to
 * the writer's URL, 503 with {@code Retry-After} while there is none. Thread-safe.
 */
public final class WriterGate {
  private final Writer writer;
  private final WriterAddress address;
  private final Supplier<URI> advertised;

  /**
   * @param advertised this instance's own URL, known once it listens
   */
  public WriterGate(Writer writer, WriterAddress address, Supplier<URI> advertised) {
    this.writer = writer;
    this.address = address;
    this.advertised = advertised;
  }

  /** A handler that only the writer runs. */
  Handler guard(Handler handler) {
    return ctx -> {
      if (!writer.isOpen()) {
        // Before the body is read: it may be large, and goes to the writer anyway.
        redirect(ctx);
        return;
      }
      try {
        handler.handle(ctx);
      } catch (NotWriterException e) {
        redirect(ctx);
      } catch (OutcomeUnknownException e) {
        unavailable(ctx, "OUTCOME_UNKNOWN", e.getMessage());
      }
    };
  }

  private void redirect(Context ctx) {
    Optional<URI> elsewhere = address.find().filter(url -> !url.equals(advertised.get()));
    if (elsewhere.isEmpty()) {
      unavailable(ctx, "NO_WRITER", "no instance writes at this moment; try again in a second");
      return;
    }
    String query = ctx.queryString();
    String target = ctx.req().getRequestURI() + (query == null ? "" : "?" + query);
    ctx.header("Location", elsewhere.get() + target);
    OpsServer.error(
        ctx,
        307,
        "NOT_WRITER",
        "another instance writes; send the request to " + elsewhere.get(),
        null);
  }

  private static void unavailable(Context ctx, String code, String message) {
    ctx.header("Retry-After", "1");
    OpsServer.error(ctx, 503, code, message, null);
  }
}
