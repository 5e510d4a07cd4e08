package io.lensflow.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;

/**
 * A checkpoint's tokenizer: the original Rust library under DJL, so that token ids agree with
 * transformers' by construction.
 *
 * <p>Thread-safe. Needs {@code tokenizer.json}, and {@code tokenizer_config.json} for its chat
 * template; never weights.
 */
public final class Tokenizer implements AutoCloseable {
  static {
    // DJL would ask a cloud's metadata service where it runs, and tell its makers.
    if (System.getProperty("OPT_OUT_TRACKING") == null) {
      System.setProperty("OPT_OUT_TRACKING", "true");
    }
  }

  private final HuggingFaceTokenizer delegate;
  private final String hash;
  private final TokenKinds kinds;
  private final ChatTemplate chatTemplate;

  private Tokenizer(
      HuggingFaceTokenizer delegate, String hash, TokenKinds kinds, ChatTemplate chatTemplate) {
    this.delegate = delegate;
    this.hash = hash;
    this.kinds = kinds;
    this.chatTemplate = chatTemplate;
  }

  /**
   * Reads the tokenizer files of a checkpoint folder.
   *
   * @throws IOException if {@code tokenizer.json} is missing or broken; the message names the file
   */
  public static Tokenizer load(Path folder) throws IOException {
    Path file = folder.resolve("tokenizer.json");
    if (!Files.isRegularFile(file)) {
      throw new IOException("no tokenizer.json in " + folder.toAbsolutePath());
    }
    byte[] bytes = Files.readAllBytes(file);
    HuggingFaceTokenizer delegate;
    try {
      delegate =
          HuggingFaceTokenizer.newInstance(
              file, Map.of("truncation", "false", "padding", "false", "modelMaxLength", "1048576"));
    } catch (IOException | RuntimeException e) {
      throw new IOException(file.toAbsolutePath() + " cannot be read: " + e.getMessage(), e);
    }
    try {
      return new Tokenizer(
          delegate, sha256(bytes), TokenKinds.read(bytes), ChatTemplate.load(folder));
    } catch (IOException | RuntimeException e) {
      delegate.close();
      throw e;
    }
  }

  /** Ids of plain text, with the special tokens that the tokenizer adds by itself. */
  public int[] encode(String text) {
    return ids(delegate.encode(text, true, false));
  }

  /** Ids of a rendered chat template, which already holds its special tokens. */
  public int[] encodeRendered(String text) {
    return ids(delegate.encode(text, false, false));
  }

  private static int[] ids(Encoding encoding) {
    long[] wide = encoding.getIds();
    int[] ids = new int[wide.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = Math.toIntExact(wide[i]);
    }
    return ids;
  }

  /** Text of ids, special tokens shown, spaces as the tokenizer's decoder leaves them. */
  public String decode(int... ids) {
    return decode(false, ids);
  }

  /** Text of ids, with special tokens left out if asked. */
  public String decode(boolean skipSpecialTokens, int... ids) {
    long[] wide = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      wide[i] = ids[i];
    }
    return delegate.decode(wide, skipSpecialTokens);
  }

  /** A detokenizer for one stream of tokens. */
  public StreamingDetokenizer streaming() {
    return new StreamingDetokenizer(ids -> decode(true, ids), kinds);
  }

  /**
   * The checkpoint's chat template.
   *
   * @throws IllegalStateException if the checkpoint has none
   */
  public ChatTemplate chatTemplate() {
    if (chatTemplate == null) {
      throw new IllegalStateException(
          "this checkpoint has no chat template; send text or token ids instead of messages");
    }
    return chatTemplate;
  }

  /** SHA-256 of {@code tokenizer.json}, hex. */
  public String hash() {
    return hash;
  }

  @Override
  public void close() {
    delegate.close();
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
