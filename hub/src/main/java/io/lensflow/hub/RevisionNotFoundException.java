package io.lensflow.hub;

/** The model is there, the revision is not: what the cache holds under that name is out of date. */
final class RevisionNotFoundException extends HubException {
  private static final long serialVersionUID = 1;

  RevisionNotFoundException(String message) {
    super(message);
  }
}
