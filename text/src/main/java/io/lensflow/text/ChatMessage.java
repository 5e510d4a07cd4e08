package io.lensflow.text;

/**
 * One turn of a conversation.
 *
 * @param role {@code system}, {@code user}, {@code assistant} or what else the template knows
 * @param content the turn's text
 */
public record ChatMessage(String role, String content) {}
