package io.lensflow.steering.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class BearerTokensTest {
  private static final BearerTokens TOKENS =
      BearerTokens.of("board:read-read-read-read", "ann:write-write-write, bob:other-other-other");

  @Test
  void shouldKnowWhoseTokenItIs() {
    assertThat(TOKENS.holder("Bearer read-read-read-read"))
        .contains(new BearerTokens.Holder("board", Scope.READ));
    assertThat(TOKENS.holder("bearer other-other-other"))
        .contains(new BearerTokens.Holder("bob", Scope.WRITE));
  }

  @Test
  void shouldKnowNobodyWhenTheTokenOrTheSchemeIsAnother() {
    assertThat(TOKENS.holder(null)).isEmpty();
    assertThat(TOKENS.holder("")).isEmpty();
    assertThat(TOKENS.holder("Bearer ")).isEmpty();
    assertThat(TOKENS.holder("Bearer read-read-read-rea")).isEmpty();
    assertThat(TOKENS.holder("Basic read-read-read-read")).isEmpty();
  }

  @Test
  void shouldRequireNothingWhenThereAreNoTokens() {
    assertThat(BearerTokens.of("", " ").required()).isFalse();
    assertThat(TOKENS.required()).isTrue();
  }

  @Test
  void shouldNeverShowAToken() {
    assertThat(TOKENS.toString()).doesNotContain("read-read").doesNotContain("write-write");
    assertThatThrownBy(() -> BearerTokens.of("ann:secret-secret-secret,bob:secret2", ""))
        .hasMessageContaining("auth.read-tokens: entry 2")
        .hasMessageNotContaining("secret");
  }
}
