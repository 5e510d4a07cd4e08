package io.lensflow.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the hub does not give, and what Lensflow does not take: each says what to do. */
class RefusalTest {
  @TempDir Path folder;
  private HubTestBed bed;

  @BeforeEach
  void start() throws IOException {
    bed = new HubTestBed(folder.resolve("hub"));
  }

  @AfterEach
  void stop() {
    bed.close();
  }

  private AbstractThrowableAssert<?, ?> assertRefused(String id) {
    return assertThatThrownBy(() -> bed.resolve(id)).isInstanceOf(HubException.class);
  }

  @Test
  void shouldAdviseATokenWhenThereIsNoPublicModel() {
    assertRefused("org/none")
        .hasMessageContaining("neither a folder here")
        .hasMessageContaining("no public model org/none")
        .hasMessageContaining("check the name")
        .hasMessageContaining("HF_TOKEN");
  }

  @Test
  void shouldNotAdviseATokenWhenThereIsOne() {
    bed.token = "hf_x";

    assertRefused("org/none").hasMessageContaining("that the token may see");
  }

  @Test
  void shouldSayWhereTokensAreMadeWhenTheTokenIsNotAccepted() {
    bed.token = "old";
    bed.server.requireToken("new");

    assertRefused("org/tiny").hasMessageContaining("/settings/tokens");
  }

  @Test
  void shouldSendToTheLicenceWhenTheModelIsGated() {
    bed.server.gate("GatedRepo");

    assertRefused("org/tiny")
        .hasMessageContaining("org/tiny is gated")
        .hasMessageContaining(bed.server.endpoint() + "/org/tiny")
        .hasMessageContaining("set HF_TOKEN");
    bed.token = "hf_x";
    assertRefused("org/tiny").hasMessageContaining("has no access yet");
  }

  @Test
  void shouldNameTheRevisionWhenThereIsNone() {
    assertRefused("org/tiny@v9").hasMessageContaining("org/tiny has no revision 'v9'");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"../../x", "a/../b", "/etc/x", "a\\b", "C:/x", "a//b", "./a", "a\nb", "..", ""})
  void shouldRefuseAModelWithANameThatLeadsOut(String name) {
    bed.server.put(name, "x");

    assertRefused("org/tiny").hasMessageContaining("refused");
    assertThat(bed.model().resolve("snapshots")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"../../x", "a/b", "/x", "sub/model.safetensors"})
  void shouldRefuseAnIndexThatLeadsOut(String shard) {
    bed.server.put(
        "model.safetensors.index.json", "{\"weight_map\": {\"a\": \"%s\"}}".formatted(shard));

    assertRefused("org/tiny").hasMessageContaining("'" + shard + "'");
  }

  @Test
  void shouldNameTheShardWhenTheModelDoesNotHaveIt() {
    bed.server.put(
        "model.safetensors.index.json", "{\"weight_map\": {\"a\": \"model-1.safetensors\"}}");

    assertRefused("org/tiny").hasMessageContaining("model-1.safetensors");
  }

  @ParameterizedTest
  @ValueSource(strings = {"pytorch_model.bin", "tiny-Q4_K_M.gguf", "consolidated.safetensors"})
  void shouldNameTheWeightsThatAreNotRead(String weights) {
    bed.server.files.remove("model.safetensors");
    bed.server.files.remove("pytorch_model.bin");
    bed.server.put(weights, "weights");

    assertRefused("org/tiny")
        .hasMessageContaining(weights)
        .hasMessageContaining("not read")
        .hasMessageContaining("model.safetensors");
    assertThat(bed.cache).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"config.json", "tokenizer.json"})
  void shouldNameTheFileWhenTheModelLacksIt(String file) {
    bed.server.files.remove(file);

    assertRefused("org/tiny").hasMessageContaining("has no " + file);
  }

  @ParameterizedTest
  @ValueSource(strings = {"../../../x", "", "a/b", ".."})
  void shouldRefuseAnETagThatIsNoFileName(String etag) {
    bed.server.etags.put("model.safetensors", etag);

    assertRefused("org/tiny").hasMessageContaining("ETag");
  }

  @ParameterizedTest
  @ValueSource(strings = {"http:///x", "ftp://elsewhere/x", "x y", "http:x"})
  void shouldRefuseARedirectThatLeadsNowhere(String location) {
    bed.server.moveListingTo(location);

    assertRefused("org/tiny").hasMessageContaining("is redirected to '" + location + "'");
  }

  @Test
  void shouldSayThatTheDiskIsTooSmallBeforeItIsFull() {
    bed.server.sizes.put("model.safetensors", 1L << 60);

    assertRefused("org/tiny").hasMessageContaining("are free").hasMessageContaining("HF_HOME");
    assertThat(bed.server.contentRequests("config.json")).isEmpty();
  }

  @Test
  void shouldSayThatItIsNoHubWhenItAnswersOtherwise() throws IOException {
    com.sun.net.httpserver.HttpServer other =
        com.sun.net.httpserver.HttpServer.create(
            new java.net.InetSocketAddress(java.net.InetAddress.getLoopbackAddress(), 0), 0);
    other.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, 6);
          exchange.getResponseBody().write("<html>".getBytes());
          exchange.close();
        });
    other.start();
    try {
      HubSettings settings =
          HubSettings.from(
              java.util.Map.of(
                  "HF_ENDPOINT",
                  "http://127.0.0.1:" + other.getAddress().getPort(),
                  "HF_HOME",
                  folder.toString()),
              folder);
      assertThatThrownBy(
              () ->
                  new ModelHub(settings)
                      .resolve("org/tiny", ModelFiles.ALL, DownloadProgress.SILENT))
          .isInstanceOf(HubException.class)
          .hasMessageContaining("HF_ENDPOINT");
    } finally {
      other.stop(0);
    }
  }
}
