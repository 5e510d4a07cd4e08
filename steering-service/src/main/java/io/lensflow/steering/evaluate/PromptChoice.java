package io.lensflow.steering.evaluate;

import io.lensflow.steering.evaluate.EvaluatePlan.Prompts;
import io.lensflow.steering.items.ItemPair;
import io.lensflow.steering.items.ItemRenderer;
import io.lensflow.steering.items.PromptFormat;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.text.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** The texts of an evaluation that are no items: the neutral one, and what is continued. */
final class PromptChoice {
  private static final int NEW_TOKENS = 48;

  private final EvaluateRequest request;
  private final ItemRenderer renderer;
  private final Tokenizer tokenizer;
  private final EvaluateLimits limits;
  private final int maxContext;

  /**
   * @param maxContext most tokens of prompt and output together
   */
  PromptChoice(
      EvaluateRequest request,
      ItemRenderer renderer,
      Tokenizer tokenizer,
      EvaluateLimits limits,
      int maxContext) {
    this.request = request;
    this.renderer = renderer;
    this.tokenizer = tokenizer;
    this.limits = limits;
    this.maxContext = maxContext;
  }

  /**
   * Token ids of the neutral text; null if none is wanted.
   *
   * @throws RefusedException if it is too short or too long
   */
  int[] neutral() {
    String given = request.neutral();
    if (given != null && given.isBlank()) {
      return null;
    }
    int[] ids = tokenizer.encode(given == null ? ownNeutralText() : given);
    int most = Math.min(maxContext, limits.maxNeutralTokens());
    if (ids.length < 2 || ids.length > most && given != null) {
      throw RefusedException.invalid(
          "neutral",
          "%d tokens; it must have 2 … %d (%smax-neutral-tokens, and the model's context)"
              .formatted(ids.length, most, EvaluateLimits.SECTION));
    }
    return Arrays.copyOf(ids, Math.min(ids.length, most));
  }

  private static String ownNeutralText() {
    try (InputStream in = PromptChoice.class.getResourceAsStream("neutral.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * What is continued side by side.
   *
   * @param test items whose questions may be continued
   * @param multipliers at these
   * @throws RefusedException if it is too much
   */
  Prompts prompts(List<ItemPair> test, List<Double> multipliers) {
    List<String> texts = new ArrayList<>(Objects.requireNonNullElse(request.prompts(), List.of()));
    List<int[]> ids = new ArrayList<>();
    texts.forEach(text -> ids.add(given(text)));
    long questions = Objects.requireNonNullElse(request.questions(), 0);
    if (questions < 0) {
      throw RefusedException.invalid("questions", "must not be negative");
    }
    for (ItemPair pair : test.stream().limit(questions).toList()) {
      texts.add(pair.item().question());
      ids.add(renderer.promptIds(pair.item().question()));
    }
    if (texts.size() > limits.maxPrompts()) {
      throw RefusedException.invalid(
          "prompts",
          "%d prompts, questions included, more than %d; name fewer, or raise %smax-prompts"
              .formatted(texts.size(), limits.maxPrompts(), EvaluateLimits.SECTION));
    }
    int newTokens = Objects.requireNonNullElse(request.maxNewTokens(), NEW_TOKENS);
    if (newTokens < 1 || newTokens > limits.maxNewTokens()) {
      throw RefusedException.invalid(
          "maxNewTokens",
          "must be 1 … %d (%smax-new-tokens)"
              .formatted(limits.maxNewTokens(), EvaluateLimits.SECTION));
    }
    checkRoom(texts, ids, newTokens);
    return new Prompts(texts, ids, multipliers, newTokens);
  }

  /** A prompt for a chat is what a user says; a plain one stands as it is. */
  private int[] given(String text) {
    return renderer.format() == PromptFormat.CHAT
        ? renderer.promptIds(text)
        : tokenizer.encode(text);
  }

  private void checkRoom(List<String> texts, List<int[]> ids, int newTokens) {
    for (int i = 0; i < ids.size(); i++) {
      if (ids.get(i).length + newTokens > maxContext) {
        throw RefusedException.invalid(
            "maxNewTokens",
            "'%.40s…' has %d tokens; with %d new ones it does not fit into the model's context of %d"
                .formatted(texts.get(i), ids.get(i).length, newTokens, maxContext));
      }
    }
  }
}
