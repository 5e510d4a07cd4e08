package io.lensflow.steering.items;

import io.lensflow.steering.vector.RefusedException;
import io.lensflow.text.ChatMessage;
import io.lensflow.text.ChatTemplate;
import io.lensflow.text.Tokenizer;
import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Makes an item's two texts and their token ids. Thread-safe.
 *
 * <p>What a template could read from elsewhere is pinned, so that a vector built next year is built
 * from the same texts: {@code enable_thinking} is false, and the date is {@link #DATE}, which
 * Llama's templates write themselves where they are not told the time.
 */
public final class ItemRenderer {
  /** The day that a template sees, at midnight UTC. */
  public static final LocalDate DATE = LocalDate.of(2024, 7, 26);

  /** Template variables that every item is rendered with. */
  public static final Map<String, Object> VARIABLES = Map.of("enable_thinking", false);

  private final Tokenizer tokenizer;
  private final PromptFormat format;
  private final ChatTemplate template;

  /**
   * @param tokenizer stays the caller's to close
   * @throws IllegalStateException if the format is chat and the checkpoint has no chat template
   */
  public ItemRenderer(Tokenizer tokenizer, PromptFormat format) {
    this.tokenizer = tokenizer;
    this.format = format;
    this.template = format == PromptFormat.CHAT ? pinned(tokenizer.chatTemplate()) : null;
  }

  /**
   * As the constructor, for a format that somebody asked for.
   *
   * @throws RefusedException if the checkpoint cannot render it
   */
  public static ItemRenderer forRequest(Tokenizer tokenizer, PromptFormat format) {
    try {
      return new ItemRenderer(tokenizer, format);
    } catch (IllegalStateException e) {
      throw RefusedException.invalid("format", e.getMessage() + "; use plain");
    }
  }

  private static ChatTemplate pinned(ChatTemplate template) {
    return template.withClock(
        Clock.fixed(DATE.atStartOfDay(ZoneOffset.UTC).toInstant(), ZoneOffset.UTC));
  }

  /** The format that texts have. */
  public PromptFormat format() {
    return format;
  }

  /** What a model reads before the answer. */
  public String prompt(String question) {
    return switch (format) {
      case CHAT -> template.render(List.of(new ChatMessage("user", question)), VARIABLES);
      case PLAIN -> question + "\n\nAnswer:";
    };
  }

  /** Token ids of the prompt alone, for a model that is to answer by itself. */
  public int[] promptIds(String question) {
    return encode(prompt(question));
  }

  /**
   * The two texts of an item as token ids.
   *
   * <p>The answer position is where the ids part and not where the prompt's ids end: a tokenizer
   * may merge the prompt's last characters with the answer's first.
   *
   * @throws UnusableItemException if the texts have no position to compare at
   */
  public ItemPair pair(ContrastiveItem item) throws UnusableItemException {
    String prompt;
    try {
      prompt = prompt(item.question());
    } catch (IllegalArgumentException e) {
      throw new UnusableItemException(e.getMessage());
    }
    int[] matching = encode(prompt + answer(item.matching()));
    int[] other = encode(prompt + answer(item.other()));
    int at = Arrays.mismatch(matching, other);
    if (at < 0) {
      throw new UnusableItemException("its two texts never differ");
    }
    if (at == matching.length || at == other.length) {
      throw new UnusableItemException(
          "one answer is only the beginning of the other, so that no token tells them apart");
    }
    if (at == 0) {
      throw new UnusableItemException("its texts share no token to answer after");
    }
    return new ItemPair(item, matching, other, at);
  }

  private String answer(String answer) {
    return format == PromptFormat.CHAT && answer.startsWith(" ") ? answer.substring(1) : answer;
  }

  private int[] encode(String text) {
    return format == PromptFormat.CHAT ? tokenizer.encodeRendered(text) : tokenizer.encode(text);
  }
}
