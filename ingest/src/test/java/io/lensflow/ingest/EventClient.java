package io.lensflow.ingest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A client of one event stream, as a user would write it. */
final class EventClient implements AutoCloseable {
  /**
   * One event.
   *
   * @param id null where it had none
   */
  record Event(String id, JsonNode data) {
    String type() {
      return data.path("type").textValue();
    }
  }

  private static final Event END = new Event(null, null);
  private static final long PATIENCE_SECONDS = 20;
  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final ObjectMapper JSON = new ObjectMapper();

  final int status;
  private final InputStream body;
  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();

  private EventClient(HttpResponse<InputStream> response) {
    status = response.statusCode();
    body = response.body();
    Thread thread = new Thread(this::read, "event-client");
    thread.setDaemon(true);
    thread.start();
  }

  /** Opens a stream; {@code lastEventId} may be null. */
  static EventClient open(int port, String pathAndQuery, String lastEventId) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + pathAndQuery));
    if (lastEventId != null) {
      request.header("Last-Event-ID", lastEventId);
    }
    return new EventClient(HTTP.send(request.build(), HttpResponse.BodyHandlers.ofInputStream()));
  }

  private void read() {
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8))) {
      String id = null;
      for (String line; (line = lines.readLine()) != null; ) {
        if (line.startsWith("id: ")) {
          id = line.substring(4);
        } else if (line.startsWith("data: ")) {
          events.add(new Event(id, JSON.readTree(line.substring(6))));
          id = null;
        }
      }
    } catch (IOException | UncheckedIOException e) {
      // the connection was cut: the end for this client
    }
    events.add(END);
  }

  /** The next event; null at the stream's end. */
  Event next() throws InterruptedException {
    Event event = events.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    Objects.requireNonNull(event, "no event came in time");
    return event == END ? null : event;
  }

  /** Some next events. */
  List<Event> next(int count) throws InterruptedException {
    List<Event> list = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      list.add(Objects.requireNonNull(next(), "the stream ended after " + list));
    }
    return list;
  }

  /** All events up to the stream's end. */
  List<Event> rest() throws InterruptedException {
    List<Event> list = new ArrayList<>();
    for (Event event; (event = next()) != null; ) {
      list.add(event);
    }
    return list;
  }

  @Override
  public void close() throws IOException {
    body.close();
  }
}
