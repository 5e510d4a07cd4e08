package io.lensflow.text.jinja;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What transformers rendered of many small templates; {@code cases.py} beside the file made it. */
class JinjaCasesTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What transformers renders and this package says that it does not. */
  private static final List<String> LEFT_OUT = List.of();

  @Test
  void shouldRenderAsTransformersDoesOrFailClearly() throws IOException {
    JsonNode file;
    try (InputStream in = getClass().getResourceAsStream("cases.json")) {
      file = JSON.readTree(in);
    }
    Map<String, Object> variables =
        JSON.convertValue(file.get("variables"), new TypeReference<Map<String, Object>>() {});
    LocalDateTime now = LocalDateTime.parse(file.at("/made_with/now").textValue());
    Clock clock = Clock.fixed(now.toInstant(ZoneOffset.UTC), ZoneOffset.UTC);

    List<String> different = new ArrayList<>();
    List<String> leftOut = new ArrayList<>();
    for (JsonNode one : file.get("cases")) {
      String template = one.get("template").textValue();
      String rendered;
      try {
        rendered = JinjaTemplate.parse(template).render(variables, clock);
      } catch (JinjaException e) {
        if (!one.has("error") && e.getMessage().contains("is not supported")) {
          leftOut.add(template);
        } else if (!one.has("error")) {
          different.add(template + "\n  transformers: " + one.get("text") + "\n  here: " + e);
        }
        continue;
      }
      if (!one.path("text").asText(null + "").equals(rendered)) {
        different.add(
            template
                + "\n  transformers: "
                + one
                + "\n  here: "
                + JSON.writeValueAsString(rendered));
      }
    }
    assertThat(different).isEmpty();
    assertThat(leftOut).isEqualTo(LEFT_OUT);
  }
}
