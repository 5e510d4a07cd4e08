package io.lensflow.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelSourceTest {
  @ParameterizedTest
  @ValueSource(
      strings = {"/models/tiny", "./a/b", "../a", "~/a", "a", "a/b/c", "a/", "a\\b", "./a@b/c"})
  void shouldTakePathsForFolders(String text) {
    assertThat(ModelSource.of(text)).isEqualTo(new ModelSource.Folder(Path.of(text)));
  }

  @ParameterizedTest
  @CsvSource({"org/name, name", "org/name@v1, name", "' org/na.me@refs/pr/1 ', na.me"})
  void shouldTakeTheRestForIdsServedUnderTheirNames(String text, String servedName) {
    ModelSource source = ModelSource.of(text);

    assertThat(source).isEqualTo(new ModelSource.OnHub(ModelId.parse(text.strip())));
    assertThat(source.servedName()).isEqualTo(servedName);
  }

  @Test
  void shouldTakeWhatExistsForAFolderWhenItCouldAlsoBeAnId() {
    // The module's own folder is the working folder of its tests.
    assertThat(ModelSource.of("src/main")).isInstanceOf(ModelSource.Folder.class);
  }

  @Test
  void shouldServeAFolderUnderItsOwnName(@TempDir Path folder) {
    assertThat(ModelSource.of(folder.resolve("smol").toString()).servedName()).isEqualTo("smol");
    assertThat(ModelSource.of("/").servedName()).isEqualTo("model");
  }

  @Test
  void shouldNeverServeASnapshotUnderItsCommit() {
    String snapshot = "/x/hub/models--org--na.me/snapshots/" + HubServer.COMMIT;

    assertThat(ModelSource.of(snapshot).servedName()).isEqualTo("na.me");
    assertThat(ModelSource.of("/x/snapshots/" + HubServer.COMMIT).servedName())
        .isEqualTo(HubServer.COMMIT);
  }

  @Test
  void shouldSayBothWhenItIsNeither() {
    assertThatThrownBy(() -> ModelSource.of("org/na--me"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("there is no folder")
        .hasMessageContaining("na--me")
        .hasMessageContaining("as a hub id");
    assertThatThrownBy(() -> ModelSource.of(" "))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("org/name[@revision]");
  }
}
