package io.lensflow.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelIdTest {
  @Test
  void shouldReadOwnerNameAndRevision() {
    assertThat(ModelId.parse("HuggingFaceTB/SmolLM2-135M_x.1"))
        .isEqualTo(new ModelId("HuggingFaceTB", "SmolLM2-135M_x.1", "main"))
        .hasToString("HuggingFaceTB/SmolLM2-135M_x.1");
    assertThat(ModelId.parse("a/b@refs/pr/1"))
        .isEqualTo(new ModelId("a", "b", "refs/pr/1"))
        .hasToString("a/b@refs/pr/1");
    assertThat(ModelId.parse("a/b@v1.0").isPinned()).isFalse();
    assertThat(ModelId.parse("a/b@" + HubServer.COMMIT).isPinned()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a",
        "a/b/c",
        "/b",
        "a/",
        "a/b@",
        "../b",
        "a/..",
        "a/-b",
        "a/b-",
        ".a/b",
        "a/b.git",
        "a/b--c",
        "a b/c",
        "a/b@../../x",
        "a/b@/x",
        "a/b@x/",
        "a/b@x/.y",
        "a/b@.x",
        "a/b@x y",
        "a/b@x\\y",
        "a/b\u0000"
      })
  void shouldRefuseWhatWouldLeaveTheCacheOrTheHubDoesNotAllow(String text) {
    assertThatThrownBy(() -> ModelId.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }
}
