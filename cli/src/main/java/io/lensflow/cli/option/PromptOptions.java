package io.lensflow.cli.option;

import io.lensflow.records.ChatMessage;
import io.lensflow.records.Prompt;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The prompt: text, a conversation, or token ids; exactly one of them. */
public final class PromptOptions {
  @Spec(Spec.Target.MIXEE)
  CommandSpec command;

  @Parameters(arity = "0..1", paramLabel = "PROMPT", description = "The prompt's text.")
  String positional;

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      description = "The prompt's text, as the parameter PROMPT.")
  String text;

  @Option(
      names = "--chat",
      description = "Take the text as a user's message and render the model's chat template.")
  boolean chat;

  @Option(
      names = "--message",
      paramLabel = "ROLE=TEXT",
      converter = MessageConverter.class,
      description = {
        "A message of a conversation (system, user, assistant); repeatable.",
        "A text given besides is the last user's message."
      })
  List<ChatMessage> messages = new ArrayList<>();

  @ArgGroup(exclusive = false)
  ChatOptions template = new ChatOptions();

  @Option(
      names = "--token-ids",
      split = ",",
      paramLabel = "ID",
      description = "The prompt as token ids, comma separated.")
  List<Integer> tokenIds;

  /** The prompt as given. */
  Prompt toPrompt() {
    if (positional != null && text != null) {
      throw wrong("give the prompt once: as the parameter PROMPT or with --prompt");
    }
    String given = positional != null ? positional : text;
    boolean conversation = chat || !messages.isEmpty() || template.messagesFile != null;
    if (!conversation && template.isGiven()) {
      throw wrong("--tools, --thinking and --template-variable go with a chat: add --chat");
    }
    if (tokenIds != null) {
      if (given != null || conversation) {
        throw wrong("--token-ids is the whole prompt: give no text and no messages besides");
      }
      return Prompt.newBuilder().setTokenIds(tokenIds).build();
    }
    if (conversation) {
      return conversation(given);
    }
    if (given == null || given.isEmpty()) {
      throw wrong("there is no prompt: give a text, --message or --token-ids");
    }
    return Prompt.newBuilder().setText(given).build();
  }

  private Prompt conversation(String given) {
    Prompt prompt;
    try {
      prompt = template.prompt();
    } catch (IllegalArgumentException | IOException e) {
      throw wrong(e.getMessage());
    }
    prompt.getMessages().addAll(messages);
    if (given != null) {
      prompt.getMessages().add(MessageConverter.message("user", given));
    } else if (prompt.getMessages().isEmpty()) {
      throw wrong("--chat needs the user's message: give a text or --message");
    }
    return prompt;
  }

  private ParameterException wrong(String message) {
    return new ParameterException(command.commandLine(), message);
  }

  static final class MessageConverter implements ITypeConverter<ChatMessage> {
    @Override
    public ChatMessage convert(String value) {
      int equals = value.indexOf('=');
      if (equals <= 0) {
        throw new TypeConversionException("'" + value + "' is not ROLE=TEXT");
      }
      String role = value.substring(0, equals).strip().toLowerCase(Locale.ROOT);
      return message(role, value.substring(equals + 1));
    }

    static ChatMessage message(String role, String content) {
      return ChatMessage.newBuilder().setRole(role).setContent(content).build();
    }
  }
}
