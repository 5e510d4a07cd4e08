package io.lensflow.ingest.stream;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Writes Server-Sent Events. Events carry no {@code event:} name, so that a browser's {@code
 * onmessage} sees them all; their JSON has a {@code type}. Blocks while the client does not read,
 * at most for the connection's idle time-out. For one thread.
 */
final class SseWriter implements EventSink {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** How long a client waits before it connects again, ms. */
  private static final int RETRY_MILLIS = 1000;

  private final HttpServletResponse response;
  private final Duration heartbeat;
  private OutputStream out;
  private long events;
  private boolean unflushed;
  private long lastFlushNanos;

  /**
   * @param heartbeat longest silence on the connection
   */
  SseWriter(HttpServletResponse response, Duration heartbeat) {
    this.response = response;
    this.heartbeat = heartbeat;
  }

  /** Sends the headers: from here on errors can only be told as events. */
  void open() throws IOException {
    response.setStatus(200);
    response.setContentType("text/event-stream");
    response.setCharacterEncoding("UTF-8");
    response.setHeader("Cache-Control", "no-store");
    response.setHeader("X-Accel-Buffering", "no"); // nginx would hold events back
    out = response.getOutputStream();
    write("retry: " + RETRY_MILLIS + "\n\n");
    flush();
  }

  boolean isOpen() {
    return out != null;
  }

  @Override
  public void event(EventId id, String json) throws IOException {
    events++;
    write("id: " + id + "\ndata: " + json + "\n\n");
  }

  /**
   * Says why the stream ends before its request, without an id: the client resumes after the last
   * event that had one.
   */
  void closed(String requestId, String code, String message) throws IOException {
    ObjectNode event = JSON.createObjectNode();
    event.put("type", "closed").put("request", requestId).put("code", code).put("message", message);
    write("data: " + event + "\n\n");
    flush();
  }

  /** Sends a comment if nothing was sent for long: proxies and the client see that it lives. */
  void beat() throws IOException {
    if (System.nanoTime() - lastFlushNanos >= heartbeat.toNanos()) {
      write(": still here\n\n");
      flush();
    }
  }

  /** Sends what is buffered; events wait for this, so that a burst is few packets. */
  void flush() throws IOException {
    if (unflushed) {
      out.flush();
      unflushed = false;
      lastFlushNanos = System.nanoTime();
    }
  }

  /** Events written so far. */
  long events() {
    return events;
  }

  private void write(String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
    unflushed = true;
  }
}
