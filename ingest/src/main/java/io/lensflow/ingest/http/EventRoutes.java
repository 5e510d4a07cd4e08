package io.lensflow.ingest.http;

import io.javalin.http.Context;
import io.lensflow.client.json.InvalidRequestException;
import io.lensflow.ingest.stream.EventId;
import io.lensflow.ingest.stream.EventStreams;
import io.lensflow.ingest.stream.RowFilter;
import io.lensflow.ingest.stream.StreamRequest;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/** {@code /v1/requests/{id}/events}: Server-Sent Events. Thread-safe. */
public final class EventRoutes {
  private static final String LAST_EVENT_ID = "Last-Event-ID";
  private static final Set<String> PARAMETERS =
      Set.of("settled", "layers", "hookPoints", "since", "lastEventId");

  private final EventStreams streams;

  public EventRoutes(EventStreams streams) {
    this.streams = streams;
  }

  List<Route> routes() {
    return List.of(new Route("GET", "/v1/requests/{id}/events", this::events));
  }

  private void events(Context ctx) {
    Parameters.refuseOthers(ctx, PARAMETERS);
    boolean settled = Parameters.flag(ctx, "settled");
    EventId from = lastEventId(ctx, settled);
    StreamRequest request =
        new StreamRequest(
            Parameters.requestId(ctx),
            from,
            settled,
            new RowFilter(
                read(ctx, "layers", RowFilter::layers),
                read(ctx, "hookPoints", RowFilter::hookPoints)),
            Parameters.time(ctx, "since"));
    if (from.end()) {
      ctx.status(204); // tells a browser's EventSource not to connect again
      return;
    }
    ctx.disableCompression(); // it would hold events back
    ctx.future(() -> streams.open(request, ctx.res()));
  }

  /** A browser's EventSource sends the header by itself; the parameter is for those who cannot. */
  private static EventId lastEventId(Context ctx, boolean settled) {
    String header = ctx.header(LAST_EVENT_ID);
    String text = header == null ? ctx.queryParam("lastEventId") : header;
    if (text == null || text.isEmpty()) {
      return EventId.start(settled);
    }
    try {
      return EventId.parse(text, settled);
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(
          header == null ? "lastEventId" : LAST_EVENT_ID, e.getMessage());
    }
  }

  private static <T> T read(Context ctx, String name, Function<String, T> reader) {
    try {
      return reader.apply(ctx.queryParam(name));
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(name, e.getMessage());
    }
  }
}
