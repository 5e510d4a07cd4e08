package io.lensflow.engine.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Parses JSON objects strictly: UTF-8, no field twice, nothing behind the object. */
final class JsonFile {
  /** Far more than any index of shards; a longer file is an attack or an accident. */
  private static final long MAX_BYTES = 100_000_000;

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private JsonFile() {}

  /**
   * Reads a file that holds one JSON object.
   *
   * @throws CheckpointException if it cannot be read or holds anything else; names the file
   */
  static ObjectNode read(Path file) throws CheckpointException {
    byte[] bytes;
    try {
      if (!Files.isRegularFile(file)) {
        throw new CheckpointException(file.toAbsolutePath() + ": no such file");
      }
      if (Files.size(file) > MAX_BYTES) {
        throw new CheckpointException(
            "%s: %d bytes are too many for a JSON file of a checkpoint"
                .formatted(file.toAbsolutePath(), Files.size(file)));
      }
      bytes = Files.readAllBytes(file);
    } catch (CheckpointException e) {
      throw e;
    } catch (IOException e) {
      throw unreadable(file, e);
    }
    return parse(file, bytes, "the file");
  }

  /**
   * Parses one JSON object.
   *
   * @param what names the text in errors, such as {@code its header}
   */
  static ObjectNode parse(Path file, byte[] bytes, String what) throws CheckpointException {
    try {
      // Decoded here: Jackson would guess at UTF-16 and UTF-32 from the first bytes.
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      JsonNode root = JSON.readTree(text);
      if (root instanceof ObjectNode object) {
        return object;
      }
    } catch (CharacterCodingException e) {
      throw new CheckpointException(
          "%s: %s is not JSON: not UTF-8".formatted(file.toAbsolutePath(), what), e);
    } catch (JsonProcessingException e) {
      throw new CheckpointException(
          "%s: %s is not JSON: %s".formatted(file.toAbsolutePath(), what, e.getOriginalMessage()),
          e);
    }
    throw new CheckpointException(
        "%s: %s is not a JSON object".formatted(file.toAbsolutePath(), what));
  }

  /** What the file system said, with the file's name in front. */
  static CheckpointException unreadable(Path file, IOException e) {
    String reason = e instanceof FileSystemException system ? system.getReason() : e.getMessage();
    return new CheckpointException(
        "%s: cannot be read: %s"
            .formatted(
                file.toAbsolutePath(), reason == null ? e.getClass().getSimpleName() : reason),
        e);
  }
}
