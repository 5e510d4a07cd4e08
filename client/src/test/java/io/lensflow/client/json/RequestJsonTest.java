package io.lensflow.client.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;

import io.lensflow.records.ChatMessage;
import io.lensflow.records.ElementType;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensAccuracy;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.NormScale;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.SteeringOperation;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestJsonTest {
  private static final Instant NOW = Instant.parse("2026-11-23T12:00:00Z");
  private static final String ID = "0193-new";

  @Test
  void shouldTakeTheRecordsDefaultsWhenOnlyAPromptIsGiven() {
    PromptRequest expected = PromptRequest.newBuilder().build();

    PromptRequest request = read("{'prompt': 'Hello'}");

    assertThat(request.getRequestId()).isEqualTo(ID);
    assertThat(request.getCreatedAt()).isEqualTo(NOW);
    assertThat(request.getDeadline()).isEqualTo(NOW.plus(Duration.ofMinutes(10)));
    assertThat(request.getPrompt().getText()).isEqualTo("Hello");
    assertThat(request.getSampling()).isEqualTo(expected.getSampling());
    assertThat(request.getCapture()).isEqualTo(expected.getCapture());
    assertThat(request.getLenses()).isEqualTo(expected.getLenses());
    assertThat(request.getMaxNewTokens()).isEqualTo(expected.getMaxNewTokens());
    assertThat(request.getSteering()).isEmpty();
  }

  @Test
  void shouldReadEveryFieldWhenAllAreGiven() {
    PromptRequest request =
        read(
            """
            {"requestId": "abc:1", "deadline": "90s", "model": "m", "revision": "r", "tenant": "t",
             "labels": {"a": "b"}, "prompt": {"messages": [{"role": "user", "content": "Hi"}]},
             "sampling": {"temperature": 0.5, "topP": 0.9, "topK": 40, "minP": 0.1,
                          "repetitionPenalty": 1.2, "seed": -7},
             "stop": ["\\n"], "ignoreEos": true, "maxNewTokens": 0, "logProbs": true,
             "capture": {"hookPoints": ["residual_post", "ATTENTION-INPUT"], "layers": [0, -1],
                         "positions": "last_prompt", "dtype": "float32"},
             "lenses": ["tuned", {"name": "logit", "topK": 3, "metrics": ["kl", "TARGETS"],
                         "targetIds": [5, 5], "targetTexts": [" Paris"], "normScale": "final",
                         "accuracy": "exact", "projections": ["calm@3"]}],
             "steering": [{"name": "calm", "version": 3, "multiplier": -1.5, "operation": "add",
                           "positions": [0, 2], "preserveNorm": false, "layers": "5-",
                           "hookPoint": "MLP_OUTPUT"}]}
            """);

    assertThat(request.getRequestId()).isEqualTo("abc:1");
    assertThat(request.getDeadline()).isEqualTo(NOW.plusSeconds(90));
    assertThat(request.getModel()).isEqualTo("m");
    assertThat(request.getRevision()).isEqualTo("r");
    assertThat(request.getTenant()).isEqualTo("t");
    assertThat(request.getLabels()).isEqualTo(Map.of("a", "b"));
    assertThat(request.getPrompt().getMessages())
        .containsExactly(ChatMessage.newBuilder().setRole("user").setContent("Hi").build());
    assertThat(request.getSampling().getTemperature()).isEqualTo(0.5f);
    assertThat(request.getSampling().getSeed()).isEqualTo(-7L);
    assertThat(request.getStop()).containsExactly("\n");
    assertThat(request.getIgnoreEos()).isTrue();
    assertThat(request.getMaxNewTokens()).isZero();
    assertThat(request.getLogProbs()).isTrue();
    assertThat(request.getCapture().getHookPoints())
        .containsExactly(HookPoint.RESIDUAL_POST, HookPoint.ATTENTION_INPUT);
    assertThat(request.getCapture().getLayers()).isEqualTo("0,-1");
    assertThat(request.getCapture().getPositions()).isEqualTo("last_prompt");
    assertThat(request.getCapture().getDtype()).isEqualTo(ElementType.FLOAT32);
    LensRequest logit = request.getLenses().get(1);
    assertThat(request.getLenses().get(0).getName()).isEqualTo("tuned");
    assertThat(logit.getTopK()).isEqualTo(3);
    assertThat(logit.getMetrics()).containsExactly(LensMetric.KL, LensMetric.TARGETS);
    assertThat(logit.getTargetIds()).containsExactly(5);
    assertThat(logit.getTargetTexts()).containsExactly(" Paris");
    assertThat(logit.getNormScale()).isEqualTo(NormScale.FINAL);
    assertThat(logit.getAccuracy()).isEqualTo(LensAccuracy.EXACT);
    assertThat(logit.getProjections()).containsExactly("calm@3");
    assertThat(request.getSteering().get(0).getVersion()).isEqualTo(3);
    assertThat(request.getSteering().get(0).getMultiplier()).isEqualTo(-1.5f);
    assertThat(request.getSteering().get(0).getOperation()).isEqualTo(SteeringOperation.ADD);
    assertThat(request.getSteering().get(0).getPositions()).isEqualTo("0,2");
    assertThat(request.getSteering().get(0).getPreserveNorm()).isFalse();
    assertThat(request.getSteering().get(0).getLayers()).isEqualTo("5-");
    assertThat(request.getSteering().get(0).getHookPoint()).isEqualTo(HookPoint.MLP_OUTPUT);
  }

  @Test
  void shouldTakeShortFormsWhenThePromptStandsBesideOtherFields() {
    assertThat(read("{'tokenIds': [1, 2]}").getPrompt().getTokenIds()).isEqualTo(List.of(1, 2));
    assertThat(read("{'messages': [{'role': 'user', 'content': ''}]}").getPrompt().getMessages())
        .hasSize(1);
    assertThat(read("{'prompt': {'text': 'x'}}").getPrompt().getText()).isEqualTo("x");
  }

  @Test
  void shouldKeepWhatTheChatTemplateNeedsAsItIsSpelled() {
    Prompt prompt =
        read("{'prompt': {'messages': ["
                + "{'role': 'user', 'content': [{'type': 'text', 'text': 'hi'}]},"
                + "{'role': 'assistant', 'content': null, 'tool_calls': [{'function': {'name': 'f',"
                + " 'arguments': {'z': 1.0, 'a': []}}}]},"
                + "{'role': 'tool', 'content': '7', 'tool_call_id': 'c1'}],"
                + " 'tools': [{'type': 'function', 'function': {'name': 'f'}}],"
                + " 'templateVariables': {'enable_thinking': false}}}")
            .getPrompt();
    assertThat(prompt.getMessages())
        .extracting(ChatMessage::getContent, ChatMessage::getFields)
        .containsExactly(
            tuple("", json("{'content':[{'type':'text','text':'hi'}]}")),
            tuple(
                "",
                json(
                    "{'tool_calls':[{'function':{'name':'f','arguments':{'z':1.0,'a':[]}}}],"
                        + "'content':null}")),
            tuple("7", json("{'tool_call_id':'c1'}")));
    assertThat(prompt.getTools()).isEqualTo(json("[{'type':'function','function':{'name':'f'}}]"));
    assertThat(prompt.getTemplateVariables()).isEqualTo(json("{'enable_thinking':false}"));
    assertThat(read("{'messages': [{'role': 'user', 'content': ''}], 'tools': []}").getPrompt())
        .extracting(Prompt::getTools)
        .isEqualTo("[]");
  }

  private static String json(String single) {
    return single.replace('\'', '"');
  }

  @Test
  void shouldCaptureAndDecodeNothingWhenListsAreEmpty() {
    PromptRequest request = read("{'prompt': 'x', 'capture': {'hookPoints': []}, 'lenses': []}");

    assertThat(request.getCapture().getHookPoints()).isEmpty();
    assertThat(request.getLenses()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'prompt': 'x', 'maxTokens': 3}             | maxTokens           | maxNewTokens",
        "{'prompt': 'x', 'capture': {'layer': '1'}}  | capture.layer       | did you mean 'layers'",
        "{'prompt': {'txt': 'x'}}                    | prompt.txt          | did you mean 'text'",
        "{'prompt': 'x', 'lenses': [{'topk': 3}]}    | lenses[0].topk      | did you mean 'topK'",
        "{}                                          | prompt              | missing",
        "{'prompt': ''}                              | prompt              | empty",
        "{'prompt': 3}                               | prompt              | object",
        "{'prompt': 'x', 'tokenIds': [1]}            | tokenIds            | exactly one prompt",
        "{'tokenIds': []}                            | tokenIds            | empty",
        "{'tokenIds': [1, -2]}                       | tokenIds[1]         | 0 …",
        "{'tokenIds': [1.5]}                         | tokenIds[0]         | whole number",
        "{'messages': [{'content': 'x'}]}            | messages[0].role    | missing",
        "{'messages': [{'role': 'user'}]}            | messages[0].content | missing",
        "{'messages': [{'role': 'user', 'content': 'x', 'tool_cals': []}]} | messages[0].tool_cals | did you mean 'tool_calls'",
        "{'messages': [{'role': 'user', 'content': 3}]} | messages[0].content | string",
        "{'prompt': 'x', 'tools': []}                | tools               | give messages",
        "{'tokenIds': [1], 'templateVariables': {}}  | templateVariables   | give messages",
        "{'messages': [{'role': 'user', 'content': ''}], 'tools': ['f']} | tools[0] | object",
        "{'messages': [{'role': 'user', 'content': ''}], 'templateVariables': {'a-b': 1}} | templateVariables.a-b | letters",
        "{'messages': [{'role': 'user', 'content': ''}], 'templateVariables': {'tools': 1}} | templateVariables.tools | field of the prompt",
        "{'prompt': 'x', 'maxNewTokens': -1}         | maxNewTokens        | 0 …",
        "{'prompt': 'x', 'maxNewTokens': 1e3}        | maxNewTokens        | whole number",
        "{'prompt': 'x', 'sampling': {'topP': 0}}    | sampling.topP       | greater than 0",
        "{'prompt': 'x', 'sampling': {'topP': 1.1}}  | sampling.topP       | 0 … 1",
        "{'prompt': 'x', 'sampling': {'temperature': -1}} | sampling.temperature | 0 … 100",
        "{'prompt': 'x', 'capture': {'hookPoints': ['residual_pst']}} | capture.hookPoints[0] | RESIDUAL_POST",
        "{'prompt': 'x', 'capture': {'hookPoints': ['UNKNOWN']}} | capture.hookPoints[0] | use one of",
        "{'prompt': 'x', 'capture': {'layers': []}}  | capture.layers      | empty",
        "{'prompt': 'x', 'lenses': ['a', {'name': 'a'}]} | lenses[1].name  | twice",
        "{'prompt': 'x', 'lenses': [{'targetTexts': ['']}]} | lenses[0].targetTexts[0] | is empty",
        "{'prompt': 'x', 'lenses': [{'normScale': 'my'}]} | lenses[0].normScale | OWN, FINAL",
        "{'prompt': 'x', 'steering': [{}]}           | steering[0].name    | missing",
        "{'prompt': 'x', 'steering': [{'name': 'a@1'}]} | steering[0].name | version",
        "{'prompt': 'x', 'steering': [{'name': 'a', 'version': 1, 'alias': 'b'}]} | steering[0].alias | one of them",
        "{'prompt': 'x', 'labels': {'a': 1}}         | labels.a            | string",
        "{'prompt': 'x', 'requestId': 'a/b'}         | requestId           | letters",
        "{'prompt': 'x', 'deadline': 'soon'}         | deadline            | neither a time",
        "{'prompt': 'x', 'deadline': '2020-01-01T00:00:00Z'} | deadline    | passed",
        "{'prompt': 'x', 'stop': ['']}               | stop[0]             | empty",
        "{'prompt': 'a\\ud800b'}                      | prompt              | surrogate",
      })
  void shouldNameTheFieldWhenItIsWrong(String json, String field, String message) {
    InvalidRequestException e =
        catchThrowableOfType(InvalidRequestException.class, () -> read(json));

    assertThat(e.field()).isEqualTo(field);
    assertThat(e).hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "[]", "3", "{", "{'prompt': 'x'} x", "{'prompt': 'x', 'prompt': 'y'}", "null"})
  void shouldSpeakOfTheBodyWhenItIsNotOneObject(String json) {
    InvalidRequestException e =
        catchThrowableOfType(InvalidRequestException.class, () -> read(json));

    assertThat(e.field()).isNull();
    assertThat(e).hasMessageContaining("the body");
  }

  @ParameterizedTest
  @CsvSource({
    "500ms, 2026-11-23T12:00:00.500Z",
    "30s, 2026-11-23T12:00:30Z",
    "2 h, 2026-11-23T14:00:00Z",
    "1d, 2026-11-24T12:00:00Z",
    "PT5M, 2026-11-23T12:05:00Z",
    "2026-11-23T14:00:00+01:00, 2026-11-23T13:00:00Z"
  })
  void shouldReadDeadlinesWhenTheyAreTimesOrDurations(String text, Instant expected) {
    assertThat(read("{'prompt': 'x', 'deadline': '" + text + "'}").getDeadline())
        .isEqualTo(expected);
  }

  private static PromptRequest read(String json) {
    return RequestJson.read(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8), ID, NOW);
  }
}
