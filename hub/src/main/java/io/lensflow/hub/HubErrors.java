package io.lensflow.hub;

import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Set;

/** Makes of a refusal a message that says what to do. Thread-safe. */
final class HubErrors {
  private static final Set<Integer> PASSING = Set.of(408, 425, 429);
  private static final int LONGEST_RETRY_AFTER = 300;

  private final HubSettings settings;

  HubErrors(HubSettings settings) {
    this.settings = settings;
  }

  /**
   * Checks an answer.
   *
   * @param file what was asked for; null for the model itself
   * @param byHub whether the hub itself gave it, not a host that stores files for it
   * @throws TransientException if it may be another in a moment
   * @throws HubException if it stays what it is
   */
  void check(ModelId id, String file, HttpResponse<?> response, boolean byHub)
      throws HubException, TransientException {
    int status = response.statusCode();
    if (status < 300) {
      return;
    }
    HttpHeaders headers = response.headers();
    if (status >= 500 || PASSING.contains(status)) {
      throw new TransientException(
          "%s answers with status %d".formatted(response.uri().getHost(), status),
          Duration.ofSeconds(retryAfter(headers)));
    }
    String said = headers.firstValue("X-Error-Message").orElse("");
    String code = headers.firstValue("X-Error-Code").orElse("");
    if (!byHub) {
      throw new HubException(
          "%s of %s is stored at %s, which refuses it with status %d; try again later"
              .formatted(file, id, response.uri().getHost(), status));
    }
    if (code.equals("RevisionNotFound")) {
      throw new RevisionNotFoundException(
          "%s has no revision '%s'; give a branch, a tag or a commit of it, or none for '%s'"
              .formatted(id.repository(), id.revision(), ModelId.DEFAULT_REVISION));
    }
    if (code.equals("EntryNotFound")) {
      throw new HubException("%s has no file %s".formatted(id, file));
    }
    if (code.equals("GatedRepo")) {
      throw new HubException(gated(id));
    }
    if (status == 401 && said.contains("Invalid credentials")) {
      throw new HubException(
          "the hub does not accept the token; make a new one at %s/settings/tokens and set HF_TOKEN"
              .formatted(settings.endpoint()));
    }
    if (status == 401 || status == 404) {
      throw new HubException(missing(id));
    }
    throw new HubException(
        "the hub refuses %s with status %d%s%s"
            .formatted(
                file == null ? id : file + " of " + id,
                status,
                said.isEmpty() ? "" : ": " + said,
                status == 403 ? "; look at %s".formatted(page(id)) : ""));
  }

  private String gated(ModelId id) {
    return settings.token().isPresent()
        ? ("%s is gated, and the token's account has no access yet: accept its licence at %s, or give"
                + " the token the right to read gated models")
            .formatted(id, page(id))
        : "%s is gated: accept its licence at %s, then set HF_TOKEN to a token of that account"
            .formatted(id, page(id));
  }

  private String missing(ModelId id) {
    return settings.token().isPresent()
        ? "there is no model %s at %s that the token may see; check the name, and whose token it is"
            .formatted(id.repository(), settings.endpoint())
        : "there is no public model %s at %s; check the name, or set HF_TOKEN if it is private"
            .formatted(id.repository(), settings.endpoint());
  }

  private String page(ModelId id) {
    return settings.endpoint() + "/" + id.repository();
  }

  private static long retryAfter(HttpHeaders headers) {
    try {
      return Math.min(
          LONGEST_RETRY_AFTER,
          Math.max(0, Long.parseLong(headers.firstValue("Retry-After").orElse("0"))));
    } catch (NumberFormatException e) {
      return 0; // a date; the usual wait does
    }
  }
}
