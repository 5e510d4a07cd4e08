package io.lensflow.text;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A checkpoint's Jinja chat template. Thread-safe. */
public final class ChatTemplate {
  private ChatTemplate() {}

  static ChatTemplate load(Path folder) throws IOException {
    return null;
  }

  /** Renders a conversation, with the generation prompt added, as transformers does. */
  public String render(List<ChatMessage> messages, Map<String, Object> variables) {
    throw new UnsupportedOperationException();
  }
}
