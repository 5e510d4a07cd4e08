package io.lensflow.steering.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringOperation;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.VectorDraft;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BodiesTest {
  private final Bodies bodies = new Bodies(1 << 20);

  @Test
  void shouldTakeDefaultsWhenOnlyOneSiteIsGiven() throws IOException {
    VectorDraft draft = draft("{'layer': 3, 'values': [1, 2.5]}");
    assertThat(draft.operation()).isEqualTo(SteeringOperation.ADD);
    assertThat(draft.positions()).isEqualTo("all");
    assertThat(draft.author()).isEqualTo("ann");
    assertThat(draft.expectedVersion()).isNull();
    assertThat(draft.sites())
        .singleElement()
        .satisfies(
            site -> {
              assertThat(site.layer()).isEqualTo(3);
              assertThat(site.hookPoint()).isEqualTo(HookPoint.ATTENTION_INPUT);
              assertThat(site.values()).containsExactly(1, 2.5f);
            });
  }

  @Test
  void shouldTakeEverythingWhenAllIsGiven() throws IOException {
    VectorDraft draft =
        draft(
            "{'sites': [{'layer': 0, 'hookPoint': 'residual_post', 'values': [1]},"
                + " {'layer': 1, 'hookPoint': 'MLP_INPUT', 'values': [2]}], 'revision': 'r',"
                + " 'operation': 'ablate', 'positions': 'prompt', 'preserveNorm': true,"
                + " 'method': 'PCA', 'dataset': 'd', 'datasetHash': 'h', 'pairCount': 4,"
                + " 'labelShare': 0.5, 'author': 'bob', 'description': 'x', 'expectedVersion': 2}");
    assertThat(draft.sites())
        .extracting(site -> site.hookPoint())
        .containsExactly(HookPoint.RESIDUAL_POST, HookPoint.MLP_INPUT);
    assertThat(draft.operation()).isEqualTo(SteeringOperation.ABLATE);
    assertThat(draft.author()).isEqualTo("bob");
    assertThat(draft.expectedVersion()).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "{'layer': 1, 'values': [1], 'sites': []}|sites",
        "{}|sites",
        "{'values': [1]}|layer",
        "{'layer': 1}|values",
        "{'layer': 'one', 'values': [1]}|layer",
        "{'layer': 1.5, 'values': [1]}|layer",
        "{'layer': 1, 'values': [1, null]}|values[1]",
        "{'layer': 1, 'values': [1, 'x']}|values[1]",
        "{'layer': 1, 'values': [1], 'hookPoint': 'UNKNOWN'}|hookPoint",
        "{'layer': 1, 'values': [1], 'operation': 'MULTIPLY'}|operation",
        "{'layer': 1, 'values': [1], 'autor': 'x'}|autor",
        "{'sites': [{'layer': 1, 'values': [1]}, {'layer': 1}]}|sites[1].values",
        "{'sites': [null]}|sites[0]",
        "{'sites': [{'layer': 1, 'value': [1]}]}|sites[0].value",
      })
  void shouldNameTheFieldWhenABodyIsWrong(String json, String field) {
    assertThatThrownBy(() -> draft(json))
        .isInstanceOf(RefusedException.class)
        .hasMessageStartingWith(field + ": ")
        .extracting(e -> ((RefusedException) e).field())
        .isEqualTo(field);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"layer\": 1|not JSON",
        "null|must be a JSON object, not null",
        "[]|must be a JSON object"
      })
  void shouldSayWhatIsWrongWhenABodyIsNoObject(String json, String expected) {
    assertThatThrownBy(() -> draft(json))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining(expected);
  }

  private VectorDraft draft(String json) throws IOException {
    byte[] body = json.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    return bodies.parse(body, PublishBody.class).toDraft("ann");
  }
}
