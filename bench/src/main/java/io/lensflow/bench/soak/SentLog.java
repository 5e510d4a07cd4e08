package io.lensflow.bench.soak;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * What the broker has acknowledged, one JSON object a line: what the checker holds the topics to.
 * Thread-safe.
 */
final class SentLog implements AutoCloseable {
  private final ObjectMapper json = new ObjectMapper();
  private final Writer writer;
  private final Set<String> requests = new HashSet<>();
  private final Set<String> broken = new HashSet<>();

  SentLog(Path file) throws IOException {
    writer = Files.newBufferedWriter(file);
  }

  /**
   * Notes a record.
   *
   * @param id of the request; empty for bytes that are none
   */
  synchronized void add(PlannedRequest planned, String id, byte[] value) {
    String digest = digest(value);
    (id.isEmpty() ? broken : requests).add(id.isEmpty() ? digest : id);
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("index", planned.index());
    line.put("kind", planned.kind().name());
    line.put("id", id);
    line.put("field", planned.field());
    line.put("sha256", digest);
    try {
      writer.write(json.writeValueAsString(line) + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ids of all requests so far. */
  synchronized Set<String> requests() {
    return Set.copyOf(requests);
  }

  /** Digests of all records so far that are no requests. */
  synchronized Set<String> broken() {
    return Set.copyOf(broken);
  }

  /** SHA-256, hex. */
  static String digest(byte[] value) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(value));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  @Override
  public synchronized void close() throws IOException {
    writer.close();
  }
}
