package io.lensflow.steering.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.steering.evaluate.Evaluation;
import io.lensflow.testkit.SharedData;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;

class ReportTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Evaluation evaluation = Evaluations.full();

  @Test
  void shouldHoldEveryFieldThatGoldensHave() throws IOException {
    JsonNode golden =
        JSON.readTree(
                SharedData.folder("fixtures/smollm2-135m-instruct").resolve("golden.json").toFile())
            .at("/steerability/0");
    JsonNode ours = JSON.valueToTree(evaluation);
    assertThat(golden.properties())
        .isNotEmpty()
        .allSatisfy(
            field -> {
              assertThat(ours.has(field.getKey())).as(field.getKey()).isTrue();
              assertThat(ours.get(field.getKey()).isArray())
                  .as(field.getKey())
                  .isEqualTo(field.getValue().isArray());
            });
  }

  @Test
  void shouldComeBackFromJsonAsItWas() throws IOException {
    String written = JSON.writeValueAsString(evaluation);
    Evaluation read = JSON.readValue(written, Evaluation.class);
    assertThat(JSON.writeValueAsString(read)).isEqualTo(written);
    assertThat(HtmlReport.of(read)).isEqualTo(HtmlReport.of(evaluation));
  }

  @Test
  void shouldShowHostileTextsAsTextAndFetchNothing() {
    String html = HtmlReport.of(evaluation);
    assertThat(html)
        .doesNotContain("<script", "https://", "@import", "url(", "src=", "href=", "\u0007")
        .contains("First &lt;script&gt;alert(&#39;1 &amp; &quot;2&quot;&#39;)&lt;/script&gt;");
    // The namespace of SVG is a name and not an address; inside HTML it is not even needed.
    assertThat(html.replace("xmlns='http://www.w3.org/2000/svg'", "")).doesNotContain("//www");
  }

  @Test
  void shouldShowMostAndLeastSteerableItemsInOrder() {
    String html = HtmlReport.of(evaluation);
    assertThat(html.indexOf("First"))
        .isLessThan(html.indexOf("Second"))
        .isGreaterThan(html.indexOf("The most steerable items"));
    assertThat(html.indexOf("Last"))
        .isLessThan(html.indexOf("Third"))
        .isGreaterThan(html.indexOf("The least steerable items"));
    assertThat(html)
        .contains("KL is at least this", "99.1 %", "Label share 0.400")
        .contains("<p class='warn'>one control is missing ");
  }

  @Test
  void shouldDrawPicturesThatAreXmlAndStayInsideTheirFrame() throws Exception {
    for (String svg :
        List.of(
            CurvePlot.of(evaluation),
            SlopeHistogram.of(evaluation),
            SideEffectPlot.of(evaluation),
            SweepHeatMap.of(evaluation.sweep()))) {
      Document document =
          DocumentBuilderFactory.newInstance()
              .newDocumentBuilder()
              .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
      double width = Double.parseDouble(document.getDocumentElement().getAttribute("width"));
      Matcher x = Pattern.compile(" (?:x|x1|x2|cx)='([^']+)'").matcher(svg);
      assertThat(x.results().mapToDouble(match -> Double.parseDouble(match.group(1))))
          .isNotEmpty()
          .allSatisfy(place -> assertThat(place).isBetween(0.0, width));
      assertThat(svg).doesNotContain("NaN", "Infinity");
    }
  }

  @Test
  void shouldCountEveryItemOnceInTheHistogram() {
    Matcher hint = Pattern.compile("<title>(\\d+) items: ").matcher(SlopeHistogram.of(evaluation));
    assertThat(hint.results().mapToInt(match -> Integer.parseInt(match.group(1))).sum())
        .isEqualTo(4);
  }

  @Test
  void shouldPutRoundValuesOnAxes() {
    Axis axis = new Axis(-0.43, 1.12, 0, 100);
    assertThat(axis.ticks(8)).hasSize(8).first().isEqualTo(-0.4);
    assertThat(axis.ticks(8).stream().map(tick -> axis.label(tick, 8)))
        .containsExactly("−0.4", "−0.2", "0.0", "0.2", "0.4", "0.6", "0.8", "1.0");
  }

  @Test
  void shouldTellTheSameInATerminal() {
    List<String> lines = EvaluationTable.of(evaluation);
    assertThat(lines)
        .anyMatch(line -> line.startsWith("the vector") && line.contains("0.100 … 0.300"))
        .anyMatch(line -> line.startsWith("random vector"))
        .anyMatch(line -> line.startsWith("shuffled labels"))
        .anyMatch(line -> line.contains("layer 4") && line.endsWith("← judged by the test items"))
        .anyMatch(line -> line.contains("Spearman –"))
        .anyMatch(line -> line.startsWith("warning: one control is missing"))
        .containsSubsequence(
            "skipped 101 lines:", "  line 9: no field 'question'", "  and 100 more");
  }
}
