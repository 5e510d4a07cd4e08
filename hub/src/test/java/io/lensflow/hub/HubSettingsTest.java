package io.lensflow.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HubSettingsTest {
  @TempDir Path home;

  private HubSettings from(Map<String, String> environment) throws HubException {
    return HubSettings.from(environment, home);
  }

  @Test
  void shouldHaveTheDefaultsOfHuggingFacesOwnTools() throws HubException {
    HubSettings settings = from(Map.of());

    assertThat(settings.endpoint()).isEqualTo(URI.create("https://huggingface.co"));
    assertThat(settings.cacheFolder()).isEqualTo(home.resolve(".cache/huggingface/hub"));
    assertThat(settings.token()).isEmpty();
    assertThat(settings.offline()).isFalse();
    assertThat(settings.symlinks()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "XDG_CACHE_HOME=/x, /x/huggingface/hub",
    "XDG_CACHE_HOME=/x HF_HOME=/h, /h/hub",
    "HF_HOME=/h HUGGINGFACE_HUB_CACHE=/old, /old",
    "HF_HOME=/h HUGGINGFACE_HUB_CACHE=/old HF_HUB_CACHE=/new, /new",
    "HF_HOME= XDG_CACHE_HOME=/x, /x/huggingface/hub",
    "HF_HUB_CACHE=$DATA/hub DATA=/d, /d/hub",
    "HF_HUB_CACHE=${DATA}x DATA=/d, /dx",
  })
  void shouldFindTheCacheWhereOthersDo(String variables, Path cache) throws HubException {
    Map<String, String> environment = new java.util.HashMap<>();
    for (String variable : variables.split(" ")) {
      String[] parts = variable.split("=", 2);
      environment.put(parts[0], parts[1]);
    }

    assertThat(from(environment).cacheFolder()).isEqualTo(cache);
  }

  @Test
  void shouldTakeTheHomeFolderForATilde() throws HubException {
    assertThat(from(Map.of("HF_HOME", "~/hf")).cacheFolder()).isEqualTo(home.resolve("hf/hub"));
  }

  @Test
  void shouldTakeTheTokenThatIsNearest() throws IOException {
    Path stored = home.resolve("hf/token");
    Files.createDirectories(stored.getParent());
    Files.writeString(stored, "stored\n");
    Path other = Files.writeString(home.resolve("other"), "other\n");
    String hfHome = stored.getParent().toString();

    assertThat(from(Map.of("HF_HOME", hfHome)).token()).contains("stored");
    assertThat(from(Map.of("HF_HOME", hfHome, "HF_TOKEN_PATH", other.toString())).token())
        .contains("other");
    assertThat(from(Map.of("HF_HOME", hfHome, "HUGGING_FACE_HUB_TOKEN", "old")).token())
        .contains("old");
    assertThat(
            from(Map.of("HF_HOME", hfHome, "HUGGING_FACE_HUB_TOKEN", "old", "HF_TOKEN", " new\n"))
                .token())
        .contains("new");
    assertThat(from(Map.of("HF_HOME", hfHome, "HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")).token())
        .isEmpty();
  }

  @Test
  void shouldNotTellTheToken() throws HubException {
    assertThat(from(Map.of("HF_TOKEN", "hf_secret")).toString()).doesNotContain("hf_secret");
  }

  @ParameterizedTest
  @ValueSource(strings = {"hf_se cret", "hf_se\ncret", "hf_sécret"})
  void shouldNotTellTheTokenWhenItCannotBeSent(String token) throws IOException {
    assertThatThrownBy(() -> from(Map.of("HF_TOKEN", token)))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("HF_TOKEN")
        .hasMessageNotContaining("hf_se");
    Path file = Files.writeString(home.resolve("stored"), token);
    assertThatThrownBy(() -> from(Map.of("HF_TOKEN_PATH", file.toString())))
        .isInstanceOf(HubException.class)
        .hasMessageContaining(file.toString())
        .hasMessageNotContaining("hf_se");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "true", "YES", "On"})
  void shouldStayOfflineWhenToldTo(String yes) throws HubException {
    assertThat(from(Map.of("HF_HUB_OFFLINE", yes)).offline()).isTrue();
    assertThat(from(Map.of("TRANSFORMERS_OFFLINE", yes)).offline()).isTrue();
    assertThat(from(Map.of("HF_HUB_OFFLINE", "0")).offline()).isFalse();
  }

  @Test
  void shouldTakeAnEndpointWithAndWithoutSlash() throws HubException {
    assertThat(from(Map.of("HF_ENDPOINT", "http://mirror:80/hf/")).endpoint())
        .isEqualTo(URI.create("http://mirror:80/hf"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"mirror", "ftp://mirror", "https://", "http://a b"})
  void shouldNameTheVariableWhenTheEndpointIsNone(String endpoint) {
    assertThatThrownBy(() -> from(Map.of("HF_ENDPOINT", endpoint)))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("HF_ENDPOINT");
  }
}
