package io.lensflow.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Without the hub: by order, or because it does not answer. */
class OfflineTest {
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

  /** As {@code snapshot_download} leaves it: blobs by hash, relative links, a ref. */
  private void downloadedByAnotherTool(String... files) throws IOException {
    Files.createDirectories(bed.model().resolve("blobs"));
    Files.createDirectories(bed.model().resolve("refs"));
    Files.createDirectories(bed.snapshot());
    Files.writeString(bed.model().resolve("refs/main"), HubServer.COMMIT);
    for (String file : files) {
      Files.write(bed.blob(file), bed.server.files.get(file));
      Files.createSymbolicLink(
          bed.snapshot().resolve(file), Path.of("../../blobs", bed.server.etag(file)));
    }
  }

  @Test
  void shouldFindWhatAnotherToolDownloaded() throws IOException {
    downloadedByAnotherTool("config.json", "tokenizer.json", "model.safetensors");
    bed.offline = true;

    assertThat(bed.resolve("org/tiny")).isEqualTo(bed.snapshot());
    assertThat(bed.server.requests).isEmpty();
  }

  @Test
  void shouldFetchWhatAnotherToolLeftOut() throws IOException {
    downloadedByAnotherTool("config.json", "tokenizer.json", "model.safetensors");

    bed.resolve("org/tiny");

    assertThat(bed.snapshot().resolve("generation_config.json")).exists();
    assertThat(bed.server.contentRequests("model.safetensors")).isEmpty();
  }

  @Test
  void shouldNameTheFilesThatAreMissing() throws IOException {
    downloadedByAnotherTool("config.json");
    bed.offline = true;

    assertThatThrownBy(() -> bed.resolve("org/tiny"))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("tokenizer.json, model.safetensors")
        .hasMessageContaining("HF_HUB_OFFLINE")
        .hasMessageNotContaining("config.json,");
  }

  @Test
  void shouldNameTheShardsThatAreMissing() throws IOException {
    downloadedByAnotherTool("config.json", "tokenizer.json");
    Files.writeString(
        bed.snapshot().resolve("model.safetensors.index.json"),
        "{\"weight_map\": {\"a\": \"model-1.safetensors\", \"b\": \"model-2.safetensors\"}}");
    Files.writeString(bed.snapshot().resolve("model-1.safetensors"), "there");
    bed.offline = true;

    assertThatThrownBy(() -> bed.resolve("org/tiny"))
        .hasMessageContaining("lacks model-2.safetensors,");
  }

  @Test
  void shouldNameAnOptionalFileWhenTheCommitIsKnownToHaveIt() throws IOException {
    downloadedByAnotherTool("config.json", "tokenizer.json", "model.safetensors");
    Path trees = Files.createDirectories(bed.model().resolve("trees"));
    Files.writeString(
        trees.resolve(HubServer.COMMIT + ".json"),
        """
        {"format_version": 1, "files": {"config.json": {"size": 1, "blob_id": "x"},
         "generation_config.json": {"size": 1, "blob_id": "x"}}}""");
    bed.offline = true;

    assertThatThrownBy(() -> bed.resolve("org/tiny"))
        .hasMessageContaining("lacks generation_config.json");
  }

  @Test
  void shouldSayThatTheModelIsNotThere() {
    bed.offline = true;

    assertThatThrownBy(() -> bed.resolve("org/tiny"))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("not a folder")
        .hasMessageContaining(bed.cache.toString())
        .hasMessageContaining("HF_HUB_OFFLINE");
  }

  @Test
  void shouldTakeTheCacheWhenTheHubDoesNotAnswer() throws IOException {
    bed.resolve("org/tiny");
    bed.server.close();

    assertThat(bed.resolve("org/tiny")).isEqualTo(bed.snapshot());
  }

  @Test
  void shouldTakeTheCacheWhenTheHubIsBroken() throws IOException {
    bed.resolve("org/tiny");
    bed.server.failListings(503, 1);

    assertThat(bed.resolve("org/tiny")).isEqualTo(bed.snapshot());
  }

  @Test
  void shouldNotTakeTheCacheWhenTheRevisionIsGone() throws IOException {
    bed.resolve("org/tiny");
    bed.server.revisions.clear();

    assertThatThrownBy(() -> bed.resolve("org/tiny")).hasMessageContaining("no revision 'main'");
  }

  @Test
  void shouldSayThatTheHubCannotBeReached() {
    bed.server.close();

    assertThatThrownBy(() -> bed.resolve("org/tiny"))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("neither a folder here nor complete in the cache")
        .hasMessageContaining(bed.server.endpoint().toString())
        .hasMessageContaining("HF_ENDPOINT");
  }
}
