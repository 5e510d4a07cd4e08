package io.lensflow.schemas.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Registry of the unit tests: gives out ids, remembers what it was asked, and fails on demand. The
 * integration tests use the embedded one.
 */
public final class StubRegistry implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  static {
    // The JDK's server sends head and body apart, and Nagle holds the second one back for 40 ms.
    System.setProperty("sun.net.httpserver.nodelay", "true");
  }

  /** What was asked, as {@code METHOD path}. */
  public final List<String> asked = new CopyOnWriteArrayList<>();

  /** Authorization header of the last call. */
  public volatile String authorization;

  private final HttpServer server;
  private final List<String> schemas = new ArrayList<>();
  private final List<Answer> prepared = new CopyOnWriteArrayList<>();

  private record Answer(String call, int status, String body) {}

  public StubRegistry() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.createContext("/", this::handle);
    server.start();
  }

  public URI uri() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** The next call of that method and path gets this answer instead. */
  public void prepare(String call, int status, String body) {
    prepared.add(new Answer(call, status, body));
  }

  /** Gives a schema an id without registering it. */
  public synchronized int add(String schema) {
    schemas.add(schema);
    return schemas.size();
  }

  @Override
  public void close() {
    server.stop(0);
  }

  private synchronized void handle(HttpExchange exchange) throws IOException {
    String call = exchange.getRequestMethod() + " " + exchange.getRequestURI();
    asked.add(call);
    authorization = exchange.getRequestHeaders().getFirst("Authorization");
    Answer answer =
        prepared.stream()
            .filter(next -> next.call().equals(call))
            .findFirst()
            .orElseGet(() -> answer(call, exchange));
    prepared.remove(answer);
    byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(answer.status(), body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private Answer answer(String call, HttpExchange exchange) {
    ObjectNode body = JSON.createObjectNode();
    if (call.startsWith("GET /schemas/ids/")) {
      int id = Integer.parseInt(call.substring(call.lastIndexOf('/') + 1));
      return id >= 1 && id <= schemas.size()
          ? new Answer(call, 200, body.put("schema", schemas.get(id - 1)).toString())
          : error(call, 404, 40403, "Schema " + id + " not found");
    }
    if (call.startsWith("GET /config/")) {
      return error(call, 404, 40408, "no subject-level compatibility");
    }
    if (call.startsWith("PUT /config/")) {
      return new Answer(call, 200, readBody(exchange));
    }
    if (call.startsWith("POST /subjects/") && call.endsWith("/versions")) {
      int id = add(parse(readBody(exchange)).path("schema").asText());
      return new Answer(call, 200, body.put("id", id).toString());
    }
    return error(call, 404, 40401, "Subject not found");
  }

  private static Answer error(String call, int status, int code, String message) {
    ObjectNode body = JSON.createObjectNode().put("error_code", code).put("message", message);
    return new Answer(call, status, body.toString());
  }

  private static JsonNode parse(String body) {
    try {
      return JSON.readTree(body);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String readBody(HttpExchange exchange) {
    try {
      return new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
