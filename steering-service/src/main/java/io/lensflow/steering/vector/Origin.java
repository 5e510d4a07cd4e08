package io.lensflow.steering.vector;

/**
 * Who asked for a change and how, for the audit event.
 *
 * @param actor who; empty if not known
 * @param commandId id of the command that asked; empty if it came over HTTP
 */
public record Origin(String actor, String commandId) {
  /** Key of {@link #commandId} in an audit event's details. */
  public static final String COMMAND_ID = "commandId";

  /** Asked over HTTP. */
  public static Origin http(String actor) {
    return new Origin(actor, "");
  }
}
