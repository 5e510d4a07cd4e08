package io.lensflow.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is fetched and where it goes, when nothing goes wrong. */
class ModelHubTest {
  private static final String WEIGHTS = "model.safetensors";

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

  @Test
  void shouldReturnAFolderAsItIs() throws IOException {
    assertThat(bed.resolve(folder.toString())).isEqualTo(folder);
    assertThat(bed.server.requests).isEmpty();
  }

  @Test
  void shouldSayBothTriedAndFixWhenThereIsNoSuchFolder() {
    assertThatThrownBy(() -> bed.resolve(folder.resolve("none").toString()))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("there is no folder " + folder.resolve("none"))
        .hasMessageContaining("org/name[@revision]");
  }

  @Test
  void shouldSayThatAModelIsAFolderWhenItIsAFile() throws IOException {
    Path file = Files.writeString(folder.resolve("model.gguf"), "GGUF");

    assertThatThrownBy(() -> bed.resolve(file.toString()))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("is a file");
  }

  @Test
  void shouldLayTheCacheOutAsHuggingFaceHubDoes() throws IOException {
    Path resolved = bed.resolve("org/tiny");

    assertThat(resolved).isEqualTo(bed.snapshot());
    assertThat(HubTestBed.names(resolved))
        .containsExactly(
            "chat_template.jinja",
            "config.json",
            "generation_config.json",
            WEIGHTS,
            "tokenizer.json",
            "tokenizer_config.json");
    for (String file : HubTestBed.names(resolved)) {
      assertThat(Files.readAllBytes(resolved.resolve(file)))
          .as(file)
          .isEqualTo(bed.server.files.get(file));
      assertThat(Files.readSymbolicLink(resolved.resolve(file)))
          .isEqualTo(Path.of("..", "..", "blobs", bed.server.etag(file)));
    }
    assertThat(HubTestBed.names(bed.model().resolve("blobs"))).hasSize(6);
    assertThat(bed.model().resolve("refs/main")).hasContent(HubServer.COMMIT);
    assertThat(HubTestBed.names(bed.model().resolve(".no_exist").resolve(HubServer.COMMIT)))
        .containsExactly("added_tokens.json", "chat_template.json", "special_tokens_map.json");
    assertThat(bed.cache.resolve(".locks/models--org--tiny")).isDirectory();
  }

  @Test
  void shouldFetchNamedChatTemplatesWhenTheModelHasSome() throws IOException {
    bed.server.put("additional_chat_templates/tool_use.jinja", "{{ tools }}");
    bed.server.put("additional_chat_templates/README.md", "# templates");

    Path templates = bed.resolve("org/tiny").resolve("additional_chat_templates");

    assertThat(HubTestBed.names(templates)).containsExactly("tool_use.jinja");
    assertThat(templates.resolve("tool_use.jinja")).hasContent("{{ tools }}");
  }

  @Test
  void shouldAskForNothingButTheCommitWhenTheCacheHasTheRest() throws IOException {
    bed.resolve("org/tiny");
    bed.server.requests.clear();

    bed.resolve("org/tiny");

    assertThat(bed.server.requests)
        .singleElement()
        .extracting(HubServer.Request::path)
        .isEqualTo("/api/models/org/tiny/revision/main");
  }

  @Test
  void shouldAskForNothingAtAllWhenACommitIsInTheCache() throws IOException {
    bed.resolve("org/tiny@" + HubServer.COMMIT);
    bed.server.requests.clear();

    assertThat(bed.resolve("org/tiny@" + HubServer.COMMIT)).isEqualTo(bed.snapshot());

    assertThat(bed.server.requests).isEmpty();
    assertThat(bed.model().resolve("refs")).doesNotExist();
  }

  @Test
  void shouldRememberBranchesWithSlashes() throws IOException {
    bed.server.revisions.put("refs/pr/1", HubServer.COMMIT);

    bed.resolve("org/tiny@refs/pr/1");

    assertThat(bed.model().resolve("refs/refs/pr/1")).hasContent(HubServer.COMMIT);
  }

  @Test
  void shouldLeaveWeightsWhenOnlyTheTokenizerIsWanted() throws IOException {
    Path resolved = bed.hub().resolve("org/tiny", ModelFiles.TOKENIZER, DownloadProgress.SILENT);

    assertThat(HubTestBed.names(resolved))
        .containsExactly("chat_template.jinja", "tokenizer.json", "tokenizer_config.json");
    assertThat(HubTestBed.names(bed.resolve("org/tiny"))).contains(WEIGHTS, "config.json");
  }

  @Test
  void shouldFetchTheShardsThatTheIndexNames() throws IOException {
    bed.server.files.remove(WEIGHTS);
    bed.server.files.put("model-00001-of-00002.safetensors", HubServer.weights(1000));
    bed.server.files.put("model-00002-of-00002.safetensors", HubServer.weights(2000));
    bed.server.files.put("model-00001-of-00003.safetensors", HubServer.weights(3000));
    bed.server.files.put("consolidated.safetensors", HubServer.weights(4000));
    bed.server.put(
        "model.safetensors.index.json",
        """
        {"weight_map": {"a": "model-00001-of-00002.safetensors",
                        "b": "model-00002-of-00002.safetensors"}}""");

    assertThat(HubTestBed.names(bed.resolve("org/tiny")))
        .contains("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
        .doesNotContain("model-00001-of-00003.safetensors", "consolidated.safetensors");
  }

  @Test
  void shouldTellHowFarItIs() throws IOException {
    List<DownloadProgress.Status> heard = new ArrayList<>();

    bed.hub().resolve("org/tiny", ModelFiles.ALL, heard::add);

    DownloadProgress.Status last = heard.get(heard.size() - 1);
    assertThat(last.model()).isEqualTo(ModelId.parse("org/tiny"));
    assertThat(last.complete()).isTrue();
    assertThat(last.files()).isEqualTo(6);
    assertThat(last.bytesDone()).isEqualTo(last.bytes()).isGreaterThan(300_000);
    assertThat(last.bytesReceived()).isEqualTo(last.bytes());
    assertThat(heard).extracting(DownloadProgress.Status::bytesDone).isSorted();
    assertThat(heard.get(0).complete()).isFalse();
  }

  @Test
  void shouldSendTheTokenToTheHubAlone() throws IOException {
    bed.token = "hf_secret";
    bed.server.requireToken("hf_secret");

    bed.resolve("org/tiny");

    assertThat(bed.server.requests)
        .filteredOn(HubServer.Request::toStorage)
        .hasSize(2)
        .allMatch(request -> request.token() == null);
    assertThat(bed.server.requests)
        .filteredOn(request -> !request.toStorage())
        .allMatch(request -> request.token().equals("Bearer hf_secret"));
  }

  @Test
  void shouldPutFilesIntoTheSnapshotWhenLinksAreNotPossible() throws IOException {
    bed.symlinks = false;

    Path weights = bed.resolve("org/tiny").resolve(WEIGHTS);

    assertThat(weights).isRegularFile();
    assertThat(Files.isSymbolicLink(weights)).isFalse();
    assertThat(Files.readAllBytes(weights)).isEqualTo(bed.server.files.get(WEIGHTS));
    assertThat(HubTestBed.names(bed.model().resolve("blobs"))).isEmpty();
    bed.server.requests.clear();
    bed.resolve("org/tiny");
    assertThat(bed.server.requests).hasSize(1);
  }

  @Test
  void shouldFetchABlobOnceWhenAnotherCommitHasIt() throws IOException {
    bed.resolve("org/tiny");
    Files.delete(bed.snapshot().resolve(WEIGHTS));
    bed.server.requests.clear();

    bed.resolve("org/tiny");

    assertThat(bed.snapshot().resolve(WEIGHTS)).exists();
    assertThat(bed.server.contentRequests(WEIGHTS)).isEmpty();
  }

  @Test
  void shouldFetchAgainWhenABlobBehindALinkIsGone() throws IOException {
    bed.resolve("org/tiny");
    Files.delete(bed.blob(WEIGHTS));

    assertThat(Files.readAllBytes(bed.resolve("org/tiny").resolve(WEIGHTS)))
        .isEqualTo(bed.server.files.get(WEIGHTS));
  }
}
