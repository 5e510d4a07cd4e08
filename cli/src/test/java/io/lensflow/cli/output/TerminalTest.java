package io.lensflow.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.cli.output.Terminal.ColourMode;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TerminalTest {
  @Test
  void shouldColourOnlyTerminals() {
    assertThat(Terminal.detect(ColourMode.AUTO, "80", Map.of()).colour()).isTrue();
    assertThat(Terminal.detect(ColourMode.AUTO, null, Map.of()).colour()).isFalse();
  }

  @Test
  void shouldRespectNoColorUnlessToldOtherwise() {
    Map<String, String> refused = Map.of("NO_COLOR", "1");

    assertThat(Terminal.detect(ColourMode.AUTO, "80", refused).colour()).isFalse();
    assertThat(Terminal.detect(ColourMode.AUTO, "80", Map.of("NO_COLOR", "")).colour()).isTrue();
    assertThat(Terminal.detect(ColourMode.ALWAYS, null, refused).colour()).isTrue();
    assertThat(Terminal.detect(ColourMode.NEVER, "80", Map.of()).colour()).isFalse();
    assertThat(Terminal.detect(ColourMode.AUTO, "80", Map.of("TERM", "dumb")).colour()).isFalse();
  }

  @Test
  void shouldTakeTheTerminalsWidthWhereThereIsOne() {
    assertThat(Terminal.detect(ColourMode.AUTO, "213", Map.of()).columns()).isEqualTo(213);
    assertThat(Terminal.detect(ColourMode.AUTO, "7", Map.of()).columns()).isEqualTo(40);
    assertThat(Terminal.detect(ColourMode.AUTO, "?", Map.of()).columns()).isEqualTo(100);
    assertThat(Terminal.detect(ColourMode.AUTO, null, Map.of()).columns()).isEqualTo(100);
  }
}
