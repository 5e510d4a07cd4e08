package io.lensflow.steering.http;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The tokens that callers may show, each with a name for the audit topic. Keeps digests only, so
 * that no log and no heap dump of this object shows a token. Immutable and thread-safe.
 */
public final class BearerTokens {
  /** Shorter ones could be guessed. */
  private static final int MIN_CHARS = 16;

  private static final String SCHEME = "Bearer ";

  /**
   * Whose token it is.
   *
   * @param name for the audit topic
   * @param scope what it allows
   */
  public record Holder(String name, Scope scope) {}

  private record Token(byte[] digest, Holder holder) {}

  private final List<Token> tokens;

  private BearerTokens(List<Token> tokens) {
    this.tokens = List.copyOf(tokens);
  }

  /**
   * Reads what settings hold.
   *
   * @param readTokens {@code NAME:TOKEN}, comma separated; empty for none
   * @param writeTokens the same; these may also read
   * @throws IllegalArgumentException naming the key, and never the token, if one is malformed
   */
  public static BearerTokens of(String readTokens, String writeTokens) {
    List<Token> tokens = new ArrayList<>();
    add(tokens, "auth.read-tokens", readTokens, Scope.READ);
    add(tokens, "auth.write-tokens", writeTokens, Scope.WRITE);
    return new BearerTokens(tokens);
  }

  private static void add(List<Token> tokens, String key, String text, Scope scope) {
    if (text.isBlank()) {
      return;
    }
    int number = 0;
    for (String entry : text.split(",")) {
      number++;
      int colon = entry.indexOf(':');
      String name = colon < 0 ? "" : entry.substring(0, colon).strip();
      String token = entry.substring(colon + 1).strip();
      if (name.isEmpty() || token.length() < MIN_CHARS) {
        throw new IllegalArgumentException(
            "%s: entry %d must be NAME:TOKEN, the token of at least %d characters"
                .formatted(key, number, MIN_CHARS));
      }
      tokens.add(new Token(digest(token), new Holder(name, scope)));
    }
  }

  /** Whether anybody must show a token. */
  public boolean required() {
    return !tokens.isEmpty();
  }

  /**
   * Whose token a header shows; empty if it shows none that is known. Takes the same time for every
   * token of a length.
   *
   * @param authorization the header {@code Authorization}; may be null
   */
  public Optional<Holder> holder(String authorization) {
    if (authorization == null
        || !authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      return Optional.empty();
    }
    byte[] shown = digest(authorization.substring(SCHEME.length()).strip());
    Holder found = null;
    for (Token token : tokens) {
      // All are compared, whichever it is.
      if (MessageDigest.isEqual(token.digest(), shown)) {
        found = token.holder();
      }
    }
    return Optional.ofNullable(found);
  }

  private static byte[] digest(String token) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** How many there are, and nothing of what they are. */
  @Override
  public String toString() {
    return "BearerTokens[%d]".formatted(tokens.size());
  }
}
