package io.lensflow.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

class BuildTableTest {
  @Test
  void shouldShowSitesSkippedLinesAndWarnings() throws Exception {
    assertThat(
            BuildTable.render(
                json(
                    """
                    {"name": "v", "version": 3, "model": "m", "method": "MEAN_DIFFERENCE",
                     "balance": "NONE", "pairCount": 2, "dataset": "d", "items": "0-2",
                     "format": "chat", "skippedCount": 1,
                     "skipped": [{"line": 2, "item": 1, "reason": "no field 'question'"}],
                     "sites": [{"layer": 7, "hookPoint": "MLP_OUTPUT", "norm": 1.5,
                                "labelShare": 0.5},
                               {"layer": 8, "hookPoint": "MLP_OUTPUT", "norm": 20.25,
                                "labelShare": null}],
                     "warnings": ["much"]}
                    """)))
        .containsExactly(
            "v@3 of m: MEAN_DIFFERENCE, balance NONE, of 2 items of d (0-2, chat)",
            "layer  hook point              norm  label share",
            "    7  MLP_OUTPUT            1.5000        0.500",
            "    8  MLP_OUTPUT           20.2500    not known",
            "1 skipped:",
            "  line 2: no field 'question'",
            "warning: much");
  }

  @Test
  void shouldShowAJobALine() throws Exception {
    assertThat(
            JobTable.render(
                json(
                    """
                    [{"id": "0198b6a4-0000-7000-8000-000000000000", "type": "BUILD",
                      "state": "FAILED", "model": "m", "done": 3, "total": 10,
                      "createdAt": "2026-05-04T03:02:01.234567Z", "request": {"name": "v"},
                      "failure": {"message": "it broke"}}]
                    """)))
        .last()
        .isEqualTo(
            "0198b6a4-0000-7000-8000-000000000000  build     failed          3 / 10"
                + "  2026-05-04T03:02:01Z  v of m, failed: it broke");
  }

  private static JsonNode json(String text) throws JsonProcessingException {
    return new ObjectMapper().readTree(text);
  }
}
