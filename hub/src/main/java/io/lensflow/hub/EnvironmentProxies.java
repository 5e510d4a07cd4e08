package io.lensflow.hub;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Proxies as the environment of other tools names them: {@code HTTPS_PROXY}, {@code HTTP_PROXY} and
 * for both {@code ALL_PROXY}; {@code NO_PROXY} lists the hosts that are asked directly, {@code *}
 * for all, a domain for itself and what lies in it, with a port for that port alone. Names in small
 * letters go before those in capitals. Immutable and thread-safe.
 */
final class EnvironmentProxies extends ProxySelector {
  private static final int DEFAULT_PORT = 80;
  private static final List<Proxy> DIRECT = List.of(Proxy.NO_PROXY);

  private final Map<String, Proxy> byScheme;
  private final List<String> exceptions;

  private EnvironmentProxies(Map<String, Proxy> byScheme, List<String> exceptions) {
    this.byScheme = Map.copyOf(byScheme);
    this.exceptions = List.copyOf(exceptions);
  }

  /**
   * The environment's proxies, or those that Java itself was given where it names none.
   *
   * @param variable the text of a variable
   * @throws HubException if a proxy cannot be used; names the variable
   */
  static ProxySelector of(Function<String, Optional<String>> variable) throws HubException {
    Map<String, Proxy> proxies = new HashMap<>();
    for (String scheme : List.of("http", "https")) {
      for (String name : List.of("all_proxy", scheme + "_proxy")) {
        for (String spelled : List.of(name.toUpperCase(Locale.ROOT), name)) {
          Optional<String> address = variable.apply(spelled);
          if (address.isPresent()) {
            proxies.put(scheme, proxy(spelled, address.get()));
          }
        }
      }
    }
    if (proxies.isEmpty()) {
      return ProxySelector.getDefault();
    }
    String exceptions = variable.apply("no_proxy").or(() -> variable.apply("NO_PROXY")).orElse("");
    return new EnvironmentProxies(
        proxies,
        Stream.of(exceptions.toLowerCase(Locale.ROOT).split("[,\\s]+"))
            .map(entry -> entry.replaceFirst("^\\*?\\.", ""))
            .filter(entry -> !entry.isEmpty())
            .toList());
  }

  private static Proxy proxy(String variable, String address) throws HubException {
    try {
      URI uri = URI.create(address.contains("://") ? address : "http://" + address);
      if (uri.getUserInfo() != null) {
        // Not quoted: it holds a password.
        throw new HubException(
            "%s holds a user and a password, which are not sent; give a proxy that asks for none, or name the hub's host in NO_PROXY"
                .formatted(variable));
      }
      if ("http".equalsIgnoreCase(uri.getScheme()) && uri.getHost() != null) {
        int port = uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort();
        return new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved(uri.getHost(), port));
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw new HubException(
        "%s is no address of a proxy that can be used; it must be such as http://proxy:3128"
            .formatted(variable));
  }

  @Override
  public List<Proxy> select(URI uri) {
    Proxy proxy = byScheme.get(uri.getScheme().toLowerCase(Locale.ROOT));
    return proxy == null || isException(uri) ? DIRECT : List.of(proxy);
  }

  private boolean isException(URI uri) {
    String host = uri.getHost().toLowerCase(Locale.ROOT);
    String withPort = host + ":" + HubClient.port(uri);
    return exceptions.stream()
        .anyMatch(entry -> entry.equals("*") || isWithin(host, entry) || isWithin(withPort, entry));
  }

  private static boolean isWithin(String host, String domain) {
    return host.equals(domain) || host.endsWith("." + domain);
  }

  @Override
  public void connectFailed(URI uri, SocketAddress address, IOException failure) {
    // The request fails by itself.
  }
}
