package io.lensflow.cli.command;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CopyOnWriteArrayList;

/** A steering service that answers what it is told to, and keeps what it was asked. */
final class StubSteering implements AutoCloseable {
  /** What it was asked: {@code PUT /path?query}, and the body as text. */
  record Asked(String call, String body, String authorization) {}

  private record Answer(int status, byte[] body, Map<String, String> headers) {}

  final List<Asked> asked = new CopyOnWriteArrayList<>();
  private final Queue<Answer> answers = new ArrayDeque<>();
  private final HttpServer server;

  StubSteering() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
  }

  URI uri() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** Answers the next call so; calls beyond those get an empty object. */
  StubSteering then(int status, String json) {
    return then(status, json.replace('\'', '"').getBytes(StandardCharsets.UTF_8), Map.of());
  }

  StubSteering then(int status, byte[] body, Map<String, String> headers) {
    answers.add(new Answer(status, body, headers));
    return this;
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      asked.add(
          new Asked(
              exchange.getRequestMethod() + " " + exchange.getRequestURI(),
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8),
              exchange.getRequestHeaders().getFirst("Authorization")));
      Answer answer = answers.poll();
      if (answer == null) {
        answer = new Answer(200, "{}".getBytes(StandardCharsets.UTF_8), Map.of());
      }
      answer.headers().forEach(exchange.getResponseHeaders()::add);
      exchange.sendResponseHeaders(answer.status(), answer.body().length);
      exchange.getResponseBody().write(answer.body());
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
