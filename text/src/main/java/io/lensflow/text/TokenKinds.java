package io.lensflow.text;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.BitSet;
import java.util.regex.Pattern;

/**
 * What a tokenizer's file says of its tokens, as far as streamed text needs it. Immutable and
 * thread-safe.
 */
final class TokenKinds {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern BYTE = Pattern.compile("<0x[0-9A-Fa-f]{2}>");

  private final boolean byteLevel;
  private final BitSet special;
  private final BitSet bytes;

  /**
   * @param byteLevel whether the decoder joins all tokens' bytes before it makes characters
   * @param special ids that show no text
   * @param bytes ids that stand for one byte, where the decoder makes characters of runs of them
   */
  TokenKinds(boolean byteLevel, BitSet special, BitSet bytes) {
    this.byteLevel = byteLevel;
    this.special = (BitSet) special.clone();
    this.bytes = (BitSet) bytes.clone();
  }

  /**
   * Reads {@code tokenizer.json}.
   *
   * @throws IOException if it is no JSON
   */
  static TokenKinds read(byte[] file) throws IOException {
    JsonNode added = field(file, "added_tokens");
    String decoder = field(file, "decoder").toString();
    boolean fallback = decoder.contains("\"ByteFallback\"");
    BitSet special = new BitSet();
    BitSet bytes = fallback ? byteTokens(field(file, "model").path("vocab")) : new BitSet();
    for (JsonNode token : added) {
      int id = token.path("id").intValue();
      special.set(id, token.path("special").booleanValue());
      if (fallback && BYTE.matcher(token.path("content").asText()).matches()) {
        bytes.set(id);
      }
    }
    return new TokenKinds(decoder.contains("\"ByteLevel\""), special, bytes);
  }

  /** Whether the decoder joins all tokens' bytes before it makes characters. */
  boolean isByteLevel() {
    return byteLevel;
  }

  boolean isSpecial(int id) {
    return special.get(id);
  }

  boolean isByte(int id) {
    return bytes.get(id);
  }

  /** A vocabulary is an object of ids, or a list of pairs in the order of ids. */
  private static BitSet byteTokens(JsonNode vocabulary) {
    BitSet bytes = new BitSet();
    vocabulary
        .properties()
        .forEach(
            token -> {
              if (BYTE.matcher(token.getKey()).matches()) {
                bytes.set(token.getValue().intValue());
              }
            });
    for (int id = 0; vocabulary.isArray() && id < vocabulary.size(); id++) {
      bytes.set(id, BYTE.matcher(vocabulary.get(id).path(0).asText()).matches());
    }
    return bytes;
  }

  /** One field of the file; the vocabulary's megabytes are passed over. */
  private static JsonNode field(byte[] file, String name) throws IOException {
    try (JsonParser parser = JSON.createParser(file)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        boolean wanted = parser.currentName().equals(name);
        parser.nextToken();
        if (wanted) {
          return JSON.readTree(parser);
        }
        parser.skipChildren();
      }
    }
    return JSON.missingNode();
  }
}
