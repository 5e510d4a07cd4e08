package io.lensflow.steering.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.records.HookPoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VectorKeyTest {
  private final VectorId id = new VectorId("org/model", "kind.v-1");

  @Test
  void shouldReadBackWhatItWrote() {
    assertThat(id.key()).matches("org-model-[0-9a-f]{8}/kind\\.v-1");
    assertThat(VectorKey.ofVectorRecord(id.manifestKey(12)))
        .contains(new VectorKey.Manifest(id.key(), 12));
    assertThat(VectorKey.ofVectorRecord(id.siteKey(3, HookPoint.MLP_OUTPUT, 7)))
        .contains(new VectorKey.Site(id.key(), 3, "MLP_OUTPUT/7"));
    assertThat(VectorKey.ofAliasRecord(id.aliasKey("production")))
        .contains(new VectorKey.Alias(id.key(), "production"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "m/v", "m/v@0", "m/v@x", "m/v@1/", "m/v@1/A", "m@1", "m/a/b@1"})
  void shouldKnowNoKeyWhenTextIsNone(String text) {
    assertThat(VectorKey.ofVectorRecord(text)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a/b", "a b", "ä", "v@1", ".hidden", "-x"})
  void shouldRefuseWhenANameCannotBeInAKey(String name) {
    assertThatThrownBy(() -> Names.checkVector(name))
        .isInstanceOf(RefusedException.class)
        .hasMessageStartingWith("name: ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"latest", "3", "", "a/b"})
  void shouldRefuseWhenAnAliasCouldBeTakenForSomethingElse(String alias) {
    assertThatThrownBy(() -> Names.checkAlias(alias))
        .isInstanceOf(RefusedException.class)
        .hasMessageStartingWith("alias: ");
  }
}
