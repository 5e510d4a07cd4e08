package io.lensflow.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProxyTest {
  private static final String DIRECT = "direct";

  @TempDir Path folder;

  private static ProxySelector proxies(String variables) throws HubException {
    Map<String, String> environment = new HashMap<>();
    for (String variable : variables.split(" ")) {
      String[] parts = variable.split("=", 2);
      environment.put(parts[0], parts[1]);
    }
    return EnvironmentProxies.of(name -> Optional.ofNullable(environment.get(name)));
  }

  @Test
  void shouldAskTheProxyWhenTheEnvironmentNamesOne() throws IOException {
    try (HubTestBed bed = new HubTestBed(folder.resolve("hub"))) {
      // Nobody has this name: the server answers for it as a proxy does. Large files are stored at
      // another host, which is asked directly.
      bed.endpoint = URI.create("http://hub.invalid");
      bed.proxies = proxies("HTTP_PROXY=" + bed.server.endpoint() + " NO_PROXY=localhost");
      assertThat(bed.resolve("org/tiny").resolve("model.safetensors")).exists();
      assertThat(bed.server.contentRequests("model.safetensors")).hasSize(1);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "HTTPS_PROXY=http://p:3128, https://hub, p:3128",
    "HTTPS_PROXY=http://p:3128, http://hub, direct",
    "HTTPS_PROXY=http://p:3128 https_proxy=q:8080, https://hub, q:8080",
    "HTTP_PROXY=http://p, http://hub, p:80",
    "ALL_PROXY=http://p:1/, https://hub, p:1",
    "ALL_PROXY=http://p:1 HTTPS_PROXY=http://q:2, https://hub, q:2",
    "HTTPS_PROXY=http://p:1 NO_PROXY=*, https://hub, direct",
    "HTTPS_PROXY=http://p:1 NO_PROXY=x;Hub.org, https://hub.org, direct",
    "HTTPS_PROXY=http://p:1 NO_PROXY=.hub.org, https://cdn.HUB.org, direct",
    "HTTPS_PROXY=http://p:1 NO_PROXY=hub.org, https://github.org, p:1",
    "HTTPS_PROXY=http://p:1 NO_PROXY=hub.org:443, https://hub.org, direct",
    "HTTPS_PROXY=http://p:1 NO_PROXY=hub.org:8443, https://hub.org, p:1",
    "HTTPS_PROXY=http://p:1 NO_PROXY=other no_proxy=hub.org, https://hub.org, direct",
  })
  void shouldChooseAsOtherToolsDoWhenVariablesAreSet(String variables, URI uri, String expected)
      throws HubException {
    Proxy proxy = proxies(variables.replace(';', ',')).select(uri).get(0);
    String chosen = DIRECT;
    if (proxy.address() instanceof InetSocketAddress address) {
      chosen = address.getHostString() + ":" + address.getPort();
    }
    assertThat(chosen).isEqualTo(expected);
  }

  @Test
  void shouldLeaveTheChoiceToJavaWhenNoVariableIsSet() throws HubException {
    assertThat(proxies("NO_PROXY=hub.org")).isSameAs(ProxySelector.getDefault());
  }

  @ParameterizedTest
  @ValueSource(strings = {"socks5://p:1", "https://p:1", "http://", "p q", "http://me:secret@p:1"})
  void shouldNameTheVariableWhenAProxyCannotBeUsed(String proxy) {
    Map<String, String> environment = Map.of("HTTPS_PROXY", proxy);
    assertThatThrownBy(
            () -> EnvironmentProxies.of(name -> Optional.ofNullable(environment.get(name))))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("HTTPS_PROXY")
        .hasMessageNotContaining("secret");
  }
}
