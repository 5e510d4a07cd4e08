package io.lensflow.hub;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A hub with one model, on two ports of this machine: the hub itself, and the host that stores the
 * large files, to which it redirects. It answers as huggingface.co does, and breaks when told to.
 */
final class HubServer implements AutoCloseable {
  /** Instead of a status: the head of an answer, and nothing more. */
  static final int STALL = 0;

  static final String ID = "org/tiny";
  static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  /** A request that came. */
  record Request(boolean toStorage, String method, String path, String token, String range) {}

  /** What goes wrong with the next GET of a file. */
  sealed interface Fault {
    record CutAfter(int bytes) implements Fault {}

    record StallAfter(int bytes) implements Fault {}

    record Status(int status) implements Fault {}

    record IgnoreRange() implements Fault {}

    record OtherContent(byte[] content) implements Fault {}
  }

  final Map<String, byte[]> files = new LinkedHashMap<>();
  final Map<String, String> etags = new ConcurrentHashMap<>();
  final Map<String, Long> sizes = new ConcurrentHashMap<>();
  final Map<String, String> revisions = new ConcurrentHashMap<>(Map.of("main", COMMIT));
  final List<Request> requests = new ArrayList<>();
  private final Map<String, Deque<Fault>> faults = new ConcurrentHashMap<>();
  private final Deque<Integer> listingFaults = new ArrayDeque<>();
  private final CountDownLatch closing = new CountDownLatch(1);
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final HttpServer hub;
  private final HttpServer storage;
  private String wantedToken;
  private String gated;
  private String slow;
  private String listingMoved;

  HubServer() throws IOException {
    hub = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    storage = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    hub.createContext("/", exchange -> answer(exchange, false, this::asHub));
    storage.createContext("/", exchange -> answer(exchange, true, this::asStorage));
    hub.setExecutor(threads);
    storage.setExecutor(threads);
    hub.start();
    storage.start();
  }

  /** A model as it should be: configuration, tokenizer, one file of weights. */
  static HubServer withTinyModel() throws IOException {
    HubServer server = new HubServer();
    server.put("README.md", "# tiny");
    server.put("config.json", "{\"architectures\": [\"LlamaForCausalLM\"]}");
    server.put("generation_config.json", "{\"eos_token_id\": [1, 2]}");
    server.put("tokenizer.json", "{\"version\": \"1.0\"}");
    server.put("tokenizer_config.json", "{}");
    server.put("chat_template.jinja", "{{ messages }}");
    server.put("pytorch_model.bin", "pickle");
    server.put("onnx/model.onnx", "onnx");
    server.files.put("model.safetensors", weights(300_000));
    return server;
  }

  static byte[] weights(int size) {
    byte[] bytes = new byte[size];
    new java.util.Random(size).nextBytes(bytes);
    return bytes;
  }

  void put(String name, String text) {
    files.put(name, text.getBytes(StandardCharsets.UTF_8));
  }

  void failNext(String file, Fault... next) {
    faults.computeIfAbsent(file, f -> new ArrayDeque<>()).addAll(List.of(next));
  }

  void failListings(int status, int times) {
    for (int i = 0; i < times; i++) {
      listingFaults.add(status);
    }
  }

  void requireToken(String token) {
    wantedToken = token;
  }

  void gate(String message) {
    gated = message;
  }

  /** Answers for a file's content only when the model was asked for twice, so that two overlap. */
  void slow(String file) {
    slow = file;
  }

  /** Answers who asks for the model with a redirect. */
  void moveListingTo(String location) {
    listingMoved = location;
  }

  /** How often the model was asked for. */
  long listings() {
    synchronized (requests) {
      return requests.stream().filter(r -> r.path.startsWith("/api/models/")).count();
    }
  }

  URI endpoint() {
    return URI.create("http://127.0.0.1:" + hub.getAddress().getPort());
  }

  /** Requests for a file's content, at whichever host gives it. */
  List<Request> contentRequests(String file) {
    synchronized (requests) {
      return requests.stream()
          .filter(r -> r.method.equals("GET") && r.path.endsWith("/" + file))
          .filter(r -> r.toStorage == isLarge(file))
          .toList();
    }
  }

  String etag(String file) {
    return etags.getOrDefault(file, hash(file, files.get(file)));
  }

  static boolean isLarge(String file) {
    return file.endsWith(".safetensors") || file.equals("tokenizer.json");
  }

  private static String hash(String file, byte[] content) {
    try {
      if (isLarge(file)) {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
      }
      MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
      sha1.update(("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII));
      return HexFormat.of().formatHex(sha1.digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private interface Handler {
    void handle(HttpExchange exchange) throws IOException;
  }

  private void answer(HttpExchange exchange, boolean toStorage, Handler handler) {
    try (exchange) {
      synchronized (requests) {
        requests.add(
            new Request(
                toStorage,
                exchange.getRequestMethod(),
                exchange.getRequestURI().getPath(),
                exchange.getRequestHeaders().getFirst("Authorization"),
                exchange.getRequestHeaders().getFirst("Range")));
        requests.notifyAll();
      }
      handler.handle(exchange);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void asHub(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    String token = exchange.getRequestHeaders().getFirst("Authorization");
    if (wantedToken != null && !("Bearer " + wantedToken).equals(token)) {
      if (token != null) {
        exchange
            .getResponseHeaders()
            .set("X-Error-Message", "Invalid credentials in Authorization header");
      }
      error(exchange, 401, token == null ? "RepoNotFound" : null);
    } else if (path.startsWith("/api/models/" + ID + "/revision/")) {
      list(exchange, path.substring(("/api/models/" + ID + "/revision/").length()));
    } else if (path.startsWith("/" + ID + "/resolve/" + COMMIT + "/")) {
      file(exchange, path.substring(("/" + ID + "/resolve/" + COMMIT + "/").length()));
    } else if (path.startsWith("/moved/")) {
      content(exchange, path.substring("/moved/".length()));
    } else {
      error(exchange, 401, "RepoNotFound");
    }
  }

  private void list(HttpExchange exchange, String revision) throws IOException {
    Integer fault = listingFaults.poll();
    String commit = revision.equals(COMMIT) ? COMMIT : revisions.get(revision);
    if (listingMoved != null) {
      exchange.getResponseHeaders().set("Location", listingMoved);
      exchange.sendResponseHeaders(302, -1);
    } else if (fault != null && fault == STALL) {
      exchange.sendResponseHeaders(200, 100);
      exchange.getResponseBody().flush();
      awaitClose();
    } else if (fault != null) {
      error(exchange, fault, null);
    } else if (commit == null) {
      error(exchange, 404, "RevisionNotFound");
    } else {
      List<Map<String, String>> siblings =
          files.keySet().stream().map(name -> Map.of("rfilename", name)).toList();
      byte[] body =
          new ObjectMapper()
              .writeValueAsBytes(Map.of("id", ID, "sha", commit, "siblings", siblings));
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  private void file(HttpExchange exchange, String file) throws IOException {
    if (gated != null) {
      error(exchange, 403, gated);
    } else if (!files.containsKey(file)) {
      error(exchange, 404, "EntryNotFound");
    } else if (isLarge(file)) {
      linked(exchange, file);
      exchange
          .getResponseHeaders()
          .set(
              "Location", "http://localhost:%d/%s".formatted(storage.getAddress().getPort(), file));
      exchange.sendResponseHeaders(302, -1);
    } else if (file.equals("tokenizer_config.json")) {
      exchange.getResponseHeaders().set("Location", "/moved/" + file);
      exchange.sendResponseHeaders(307, -1);
    } else {
      content(exchange, file);
    }
  }

  private void linked(HttpExchange exchange, String file) {
    exchange.getResponseHeaders().set("X-Repo-Commit", COMMIT);
    exchange.getResponseHeaders().set("X-Linked-ETag", '"' + etag(file) + '"');
    long size = Optional.ofNullable(sizes.get(file)).orElse((long) files.get(file).length);
    exchange.getResponseHeaders().set("X-Linked-Size", String.valueOf(size));
  }

  private void asStorage(HttpExchange exchange) throws IOException {
    content(exchange, exchange.getRequestURI().getPath().substring(1));
  }

  private void content(HttpExchange exchange, String file) throws IOException {
    byte[] content = files.get(file);
    exchange.getResponseHeaders().set("ETag", '"' + (isLarge(file) ? "s3-tag" : etag(file)) + '"');
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.getResponseHeaders().set("Content-Length", String.valueOf(content.length));
      exchange.sendResponseHeaders(200, -1);
      return;
    }
    if (file.equals(slow)) {
      awaitSecondListing();
    }
    Fault fault = faults.getOrDefault(file, new ArrayDeque<>()).poll();
    if (fault instanceof Fault.Status status) {
      error(exchange, status.status, null);
      return;
    }
    if (fault instanceof Fault.OtherContent other) {
      content = other.content;
    }
    String range = exchange.getRequestHeaders().getFirst("Range");
    int from = 0;
    if (range != null && !(fault instanceof Fault.IgnoreRange)) {
      from = Integer.parseInt(range.replaceAll("\\D", ""));
      exchange
          .getResponseHeaders()
          .set(
              "Content-Range",
              "bytes %d-%d/%d".formatted(from, content.length - 1, content.length));
    }
    boolean partial = range != null && !(fault instanceof Fault.IgnoreRange);
    exchange.sendResponseHeaders(partial ? 206 : 200, content.length - from);
    int count = content.length - from;
    if (fault instanceof Fault.CutAfter cut) {
      count = cut.bytes;
    } else if (fault instanceof Fault.StallAfter stall) {
      count = stall.bytes;
    }
    exchange.getResponseBody().write(content, from, count);
    if (fault instanceof Fault.StallAfter) {
      exchange.getResponseBody().flush();
      awaitClose();
    }
  }

  private void awaitSecondListing() {
    synchronized (requests) {
      try {
        while (listings() < 2) {
          requests.wait();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void awaitClose() {
    try {
      closing.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void error(HttpExchange exchange, int status, String code) throws IOException {
    if (code != null) {
      exchange.getResponseHeaders().set("X-Error-Code", code);
    }
    exchange.sendResponseHeaders(status, -1);
  }

  @Override
  public void close() {
    closing.countDown();
    hub.stop(0);
    storage.stop(0);
    threads.shutdownNow();
  }
}
