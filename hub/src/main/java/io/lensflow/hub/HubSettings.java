package io.lensflow.hub;

import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the hub and its cache are, and how patiently files are fetched. Immutable.
 *
 * @param endpoint the hub's base address, without a slash at its end
 * @param cacheFolder the cache, which other tools use too
 * @param token sent to the endpoint's host alone
 * @param offline whether only the cache is looked at
 * @param symlinks whether snapshots may be made of links to blobs; else files are moved there
 * @param proxies through whom the hub is asked
 * @param transfers how files are fetched
 */
public record HubSettings(
    URI endpoint,
    Path cacheFolder,
    Optional<String> token,
    boolean offline,
    boolean symlinks,
    ProxySelector proxies,
    Transfers transfers) {
  private static final String DEFAULT_ENDPOINT = "https://huggingface.co";
  private static final Set<String> TRUE = Set.of("1", "true", "yes", "on");
  private static final Pattern TOKEN = Pattern.compile("[\\x21-\\x7e]+");
  private static final Pattern VARIABLE = Pattern.compile("\\$(?:\\{(\\w+)}|(\\w+))");

  /**
   * How files are fetched.
   *
   * @param parallel files at a time
   * @param attempts attempts in a row that bring nothing new before giving up
   * @param firstWait wait after the first of them; doubled each time
   * @param answerTimeout longest wait for a connection, and for the head of an answer
   * @param stallTimeout longest time without a byte before the connection is given up
   */
  public record Transfers(
      int parallel,
      int attempts,
      Duration firstWait,
      Duration answerTimeout,
      Duration stallTimeout) {
    /** Three files at a time; a hub that is away is given up after some seconds. */
    public static final Transfers DEFAULT =
        new Transfers(3, 5, Duration.ofMillis(500), Duration.ofSeconds(10), Duration.ofSeconds(30));
  }

  /**
   * The settings that the environment asks for, by the same variables and in the same order as
   * {@code huggingface_hub}: {@code HF_ENDPOINT}; {@code HF_HUB_CACHE}, {@code
   * HUGGINGFACE_HUB_CACHE}, {@code HF_HOME}, {@code XDG_CACHE_HOME}; {@code HF_TOKEN}, {@code
   * HUGGING_FACE_HUB_TOKEN}, the file that {@code HF_TOKEN_PATH} names, else the one that a login
   * left in {@code HF_HOME}, unless {@code HF_HUB_DISABLE_IMPLICIT_TOKEN}; {@code HF_HUB_OFFLINE},
   * {@code TRANSFORMERS_OFFLINE}; {@code HF_HUB_DISABLE_SYMLINKS}; {@code HTTPS_PROXY}, {@code
   * HTTP_PROXY}, {@code ALL_PROXY}, {@code NO_PROXY}.
   *
   * @throws HubException if a variable cannot be used; names it
   */
  public static HubSettings fromEnvironment() throws HubException {
    return from(System.getenv(), Path.of(System.getProperty("user.home")));
  }

  static HubSettings from(Map<String, String> environment, Path home) throws HubException {
    Environment env = new Environment(environment, home);
    Path hfHome =
        env.path("HF_HOME")
            .orElseGet(
                () ->
                    env.path("XDG_CACHE_HOME")
                        .orElse(home.resolve(".cache"))
                        .resolve("huggingface"));
    Path cache =
        env.path("HF_HUB_CACHE")
            .or(() -> env.path("HUGGINGFACE_HUB_CACHE"))
            .orElse(hfHome.resolve("hub"));
    return new HubSettings(
        endpoint(env.text("HF_ENDPOINT").orElse(DEFAULT_ENDPOINT)),
        cache.toAbsolutePath().normalize(),
        token(env, hfHome),
        env.isTrue("HF_HUB_OFFLINE") || env.isTrue("TRANSFORMERS_OFFLINE"),
        !env.isTrue("HF_HUB_DISABLE_SYMLINKS"),
        EnvironmentProxies.of(env::text),
        Transfers.DEFAULT);
  }

  private static URI endpoint(String text) throws HubException {
    try {
      URI uri = URI.create(text.replaceAll("/+$", ""));
      String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
      if ((scheme.equals("https") || scheme.equals("http")) && uri.getHost() != null) {
        return uri;
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw new HubException(
        "HF_ENDPOINT is '%s'; it must be an address such as %s".formatted(text, DEFAULT_ENDPOINT));
  }

  private static Optional<String> token(Environment env, Path hfHome) throws HubException {
    for (String variable : List.of("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")) {
      Optional<String> given = env.text(variable);
      if (given.isPresent()) {
        return Optional.of(checkedToken(given.get(), variable));
      }
    }
    if (env.isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
      return Optional.empty();
    }
    Path file = env.path("HF_TOKEN_PATH").orElse(hfHome.resolve("token"));
    try {
      String stored = Files.readString(file).strip();
      return stored.isEmpty()
          ? Optional.empty()
          : Optional.of(checkedToken(stored, file.toString()));
    } catch (HubException e) {
      throw e;
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new HubException(
          "the token in %s cannot be read: %s; let this user read it, or set HF_TOKEN"
              .formatted(file, e),
          e);
    }
  }

  /** A header that cannot be sent would be quoted in an error, and with it the token. */
  private static String checkedToken(String token, String where) throws HubException {
    if (!TOKEN.matcher(token).matches()) {
      throw new HubException(
          "the token in %s holds white space or letters that no token has; copy it once more"
              .formatted(where));
    }
    return token;
  }

  /** Without the token, which must not come into a log. */
  @Override
  public String toString() {
    return "HubSettings[endpoint=%s, cacheFolder=%s, token=%s, offline=%s, symlinks=%s, transfers=%s]"
        .formatted(
            endpoint,
            cacheFolder,
            token.isPresent() ? "set" : "none",
            offline,
            symlinks,
            transfers);
  }

  /** Variables as Python's tools read them: empty is unset, {@code ~} and {@code $NAME} stand. */
  private record Environment(Map<String, String> variables, Path home) {
    Optional<String> text(String name) {
      return Optional.ofNullable(variables.get(name)).map(String::strip).filter(t -> !t.isEmpty());
    }

    boolean isTrue(String name) {
      return text(name).map(t -> TRUE.contains(t.toLowerCase(Locale.ROOT))).orElse(false);
    }

    Optional<Path> path(String name) {
      return text(name).map(this::expand);
    }

    private Path expand(String text) {
      String path = text;
      if (path.equals("~") || path.startsWith("~/")) {
        path = home + path.substring(1);
      }
      Matcher variable = VARIABLE.matcher(path);
      return Path.of(
          variable.replaceAll(
              found -> {
                String name = found.group(1) != null ? found.group(1) : found.group(2);
                return Matcher.quoteReplacement(variables.getOrDefault(name, found.group()));
              }));
    }
  }
}
