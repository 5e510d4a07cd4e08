package io.lensflow.cli.steering;

import io.lensflow.cli.CommandFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file of contrastive data as it is sent.
 *
 * @param name what records call it: the file's name without its ending
 * @param text the file, character for character
 */
public record DataFile(String name, String text) {
  /**
   * Reads a file.
   *
   * @throws CommandFailure if it cannot be read, or is not UTF-8
   */
  public static DataFile read(Path file) {
    String name = file.getFileName().toString().replaceFirst("\\.(jsonl|json|ndjson)$", "");
    try {
      byte[] bytes = Files.readAllBytes(file);
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return new DataFile(name, text);
    } catch (CharacterCodingException e) {
      throw new CommandFailure(file + " is not UTF-8; save it in that encoding", e);
    } catch (IOException e) {
      throw new CommandFailure(file + " cannot be read: " + e, e);
    }
  }
}
