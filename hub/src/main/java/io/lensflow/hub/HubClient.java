package io.lensflow.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Speaks the hub's two endpoints: {@code /api/models/ID/revision/REV} and {@code
 * /ID/resolve/COMMIT/FILE}. Redirects are followed by hand, because the token goes to the
 * endpoint's own host and never to where a file is stored.
 *
 * <p>Thread-safe. One call is one attempt: what may work a moment later fails with another
 * exception than {@link HubException}.
 */
final class HubClient {
  private static final int REDIRECTS = 8;
  private static final int LONGEST_LISTING = 64 << 20;
  private static final Pattern ETAG = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,199}");
  private static final Pattern HASH = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");
  private static final String AGENT = "lensflow; java/" + Runtime.version().feature();

  private final HubSettings settings;
  private final HubErrors errors;
  private final HttpClient http;

  HubClient(HubSettings settings) {
    this.settings = settings;
    this.errors = new HubErrors(settings);
    // Several HTTP/1.1 connections share a line better than streams of one HTTP/2 connection.
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .proxy(settings.proxies())
            .connectTimeout(settings.transfers().answerTimeout())
            .build();
  }

  /** What a revision is, and its files. */
  ModelListing listing(ModelId id) throws IOException, InterruptedException {
    URI uri =
        address("/api/models/%s/revision/%s".formatted(id.repository(), encode(id.revision())));
    Answer answer = follow("GET", uri, 0, false);
    try (InputStream body =
        new StallGuard(answer.response.body(), settings.transfers().stallTimeout())) {
      errors.check(id, null, answer.response, true);
      byte[] bytes = body.readNBytes(LONGEST_LISTING);
      JsonNode model = new ObjectMapper().readTree(bytes);
      String commit = model.path("sha").asText();
      if (!ModelId.isCommit(commit) || !model.path("siblings").isArray()) {
        throw notAHub(uri, "names no commit and files");
      }
      Set<String> files = new LinkedHashSet<>();
      for (JsonNode sibling : model.path("siblings")) {
        files.add(checkedName(id, sibling.path("rfilename").asText()));
      }
      return new ModelListing(commit, files);
    } catch (JsonProcessingException e) {
      throw notAHub(uri, "is not JSON");
    }
  }

  private HubException notAHub(URI uri, String what) {
    return new HubException(
        "the answer of %s %s; is HF_ENDPOINT (%s) a model hub?"
            .formatted(uri, what, settings.endpoint()));
  }

  /** Names become paths in the cache; one that leads elsewhere spoils trust in all of them. */
  private static String checkedName(ModelId id, String name) throws HubException {
    boolean safe =
        !name.isEmpty() && !name.contains("\\") && name.chars().noneMatch(Character::isISOControl);
    for (String segment : name.split("/", -1)) {
      safe &= !segment.isEmpty() && !segment.equals(".") && !segment.equals("..");
    }
    if (!safe || name.matches("[A-Za-z]:.*")) {
      throw new HubException(
          "%s lists a file named '%s', which leads out of its folder; the model is refused"
              .formatted(id, name));
    }
    return name;
  }

  /** The hash and size of a file. */
  RemoteFile metadata(ModelId id, String commit, String file)
      throws IOException, InterruptedException {
    URI uri = fileAddress(id, commit, file);
    Answer answer = follow("HEAD", uri, 0, true);
    answer.response.body().close();
    if (answer.response.statusCode() >= 300 && !answer.linked()) {
      errors.check(id, file, answer.response, isEndpoint(answer.response.uri()));
    }
    if (answer.commit != null && !answer.commit.equals(commit)) {
      throw new HubException(
          "the hub answered for commit %s of %s when it was asked for %s; try again"
              .formatted(answer.commit, id.repository(), commit));
    }
    if (answer.etag == null || !ETAG.matcher(answer.etag).matches()) {
      throw notAHub(uri, "gives no usable ETag");
    }
    if (answer.size < 0) {
      throw notAHub(uri, "gives no size");
    }
    return new RemoteFile(file, answer.etag, answer.size);
  }

  /**
   * A file's content from a byte on. The caller closes the body.
   *
   * @return 200 with all of it, 206 with the rest, or 416
   */
  HttpResponse<InputStream> open(ModelId id, String commit, String file, long from)
      throws IOException, InterruptedException {
    HttpResponse<InputStream> response =
        follow("GET", fileAddress(id, commit, file), from, false).response;
    int status = response.statusCode();
    if (status == 200 || status == 206 || status == 416) {
      return response;
    }
    InputStream body = response.body();
    try (body) {
      errors.check(id, file, response, isEndpoint(response.uri()));
    }
    throw new TransientException("unexpected status " + status, Duration.ZERO);
  }

  private URI fileAddress(ModelId id, String commit, String file) {
    StringBuilder path = new StringBuilder("/%s/resolve/%s".formatted(id.repository(), commit));
    for (String segment : file.split("/")) {
      path.append('/').append(encode(segment));
    }
    return address(path.toString());
  }

  private URI address(String path) {
    return URI.create(settings.endpoint() + path);
  }

  private static String encode(String segment) {
    return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** The last response, and what those on the way said about the file. */
  private static final class Answer {
    private HttpResponse<InputStream> response;
    private String etag;
    private String commit;
    private long size = -1;

    private void take(HttpResponse<InputStream> next) {
      response = next;
      Optional<String> linked = next.headers().firstValue("X-Linked-ETag").map(Answer::bare);
      Optional<String> plain = next.headers().firstValue("ETag").map(Answer::bare);
      // A storage host's own tag is no hash of the content; the hub's, further up, is.
      if (linked.isPresent()) {
        etag = linked.get();
      } else if (plain.isPresent() && (etag == null || !HASH.matcher(etag).matches())) {
        etag = plain.get();
      }
      next.headers().firstValue("X-Repo-Commit").ifPresent(value -> commit = value);
      if (size < 0) {
        boolean redirect = next.statusCode() / 100 == 3;
        size =
            next.headers()
                .firstValueAsLong("X-Linked-Size")
                .orElse(
                    redirect ? -1 : next.headers().firstValueAsLong("Content-Length").orElse(-1));
      }
    }

    private boolean linked() {
      return etag != null && size >= 0 && response.statusCode() < 400;
    }

    private static String bare(String tag) {
      return (tag.startsWith("W/") ? tag.substring(2) : tag).replace("\"", "");
    }
  }

  private Answer follow(String method, URI first, long from, boolean untilKnown)
      throws IOException, InterruptedException {
    Answer answer = new Answer();
    URI uri = first;
    for (int i = 0; i <= REDIRECTS; i++) {
      HttpResponse<InputStream> response = send(method, uri, from);
      answer.take(response);
      if (response.statusCode() / 100 != 3 || untilKnown && answer.linked()) {
        return answer;
      }
      response.body().close();
      uri = target(uri, response);
    }
    throw new HubException("%s is redirected more than %d times".formatted(first, REDIRECTS));
  }

  private static URI target(URI uri, HttpResponse<InputStream> response) throws HubException {
    String location = response.headers().firstValue("Location").orElse("");
    URI next;
    try {
      next = uri.resolve(URI.create(location));
    } catch (IllegalArgumentException e) {
      throw new HubException("%s is redirected to '%s'".formatted(uri, location), e);
    }
    boolean http = "http".equalsIgnoreCase(next.getScheme());
    if (location.isEmpty()
        || next.getHost() == null
        || !http && !"https".equalsIgnoreCase(next.getScheme())
        || http && "https".equalsIgnoreCase(uri.getScheme())) {
      throw new HubException("%s is redirected to '%s'; not followed".formatted(uri, location));
    }
    return next;
  }

  private HttpResponse<InputStream> send(String method, URI uri, long from)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .method(method, HttpRequest.BodyPublishers.noBody())
            .timeout(settings.transfers().answerTimeout())
            .header("User-Agent", AGENT)
            .header("Accept-Encoding", "identity");
    if (from > 0) {
      request.header("Range", "bytes=" + from + "-");
    }
    if (isEndpoint(uri)) {
      settings.token().ifPresent(token -> request.header("Authorization", "Bearer " + token));
    }
    try {
      return http.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    } catch (IllegalArgumentException e) {
      throw new HubException("%s cannot be asked: %s".formatted(uri, e.getMessage()), e);
    }
  }

  private boolean isEndpoint(URI uri) {
    URI endpoint = settings.endpoint();
    return uri.getHost().equalsIgnoreCase(endpoint.getHost())
        && port(uri) == port(endpoint)
        && scheme(uri).equals(scheme(endpoint));
  }

  private static String scheme(URI uri) {
    return uri.getScheme().toLowerCase(Locale.ROOT);
  }

  /** The port that an address means. */
  static int port(URI uri) {
    return uri.getPort() >= 0 ? uri.getPort() : scheme(uri).equals("https") ? 443 : 80;
  }
}
