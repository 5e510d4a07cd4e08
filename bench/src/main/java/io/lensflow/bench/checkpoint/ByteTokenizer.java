package io.lensflow.bench.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A {@code tokenizer.json} for any vocabulary of 256 tokens or more: every byte is a token, in the
 * byte-level alphabet of GPT-2, and the rest have names that no text contains. Stateless.
 */
final class ByteTokenizer {
  private static final int BYTES = 256;

  private ByteTokenizer() {}

  static String json(int vocabularySize) {
    if (vocabularySize < BYTES) {
      throw new IllegalArgumentException("vocabularySize is " + vocabularySize);
    }
    ObjectNode root = new ObjectMapper().createObjectNode().put("version", "1.0");
    root.putArray("added_tokens");
    byteLevel(root, "pre_tokenizer").put("use_regex", false);
    byteLevel(root, "decoder");
    ObjectNode model = root.putObject("model").put("type", "BPE");
    ObjectNode vocabulary = model.putObject("vocab");
    int unprintable = 0;
    for (int id = 0; id < BYTES; id++) {
      boolean shown = isShown(id);
      vocabulary.put(Character.toString(shown ? id : BYTES + unprintable), id);
      unprintable += shown ? 0 : 1;
    }
    for (int id = BYTES; id < vocabularySize; id++) {
      vocabulary.put("<|" + id + "|>", id);
    }
    model.putArray("merges");
    return root.toString();
  }

  private static ObjectNode byteLevel(ObjectNode root, String name) {
    return root.putObject(name)
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true);
  }

  /** Bytes that stand for themselves; the others are moved behind the 256, in order. */
  private static boolean isShown(int id) {
    return (id >= '!' && id <= '~') || (id >= '¡' && id <= '¬') || (id >= '®' && id <= 'ÿ');
  }
}
