package io.lensflow.cli.option;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import io.lensflow.records.SteeringRequest;
import io.lensflow.schemas.lens.ServedLenses;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;

class RequestOptionsTest {
  private static final Instant NOW = Instant.parse("2026-11-23T10:00:00Z");

  @Command
  private static final class Probe {
    @Mixin RequestOptions request;
  }

  @Test
  void shouldAskForWhatARequestAsksForByDefault() {
    PromptRequest request = parse("The capital of France is");

    assertThat(request.getPrompt().getText()).isEqualTo("The capital of France is");
    PromptRequest defaults = PromptRequest.newBuilder().build();
    assertThat(request.getSampling()).isEqualTo(defaults.getSampling());
    assertThat(request.getCapture()).isEqualTo(defaults.getCapture());
    assertThat(request.getLenses()).isEqualTo(defaults.getLenses());
    assertThat(request.getMaxNewTokens()).isEqualTo(defaults.getMaxNewTokens());
    assertThat(request.getSteering()).isEmpty();
    assertThat(request.getRevision()).isNull();
    assertThat(request.getCreatedAt()).isEqualTo(NOW);
    assertThat(request.getDeadline()).isEqualTo(NOW.plus(Duration.ofMinutes(10)));
  }

  @Test
  void shouldSayAllThatARequestCanSay() {
    PromptRequest request =
        parse(
            ("--prompt x --model m --revision abc --tenant t --label a=1 --label b=2 --deadline 30s"
                    + " --request-id id --max-new-tokens 3 --temperature 0.7 --top-p 0.9 --top-k 40"
                    + " --min-p 0.05 --repetition-penalty 1.1 --seed 7 --stop END --ignore-eos"
                    + " --log-probs --layers 0-3,-1 --hook-points residual_post,mlp-output"
                    + " --positions last_prompt --capture-dtype bfloat16 --lens logit --lens tuned"
                    + " --top-k-lens 3 --metrics top_k,kl --target-ids 4,5 --target-text Paris"
                    + " --accuracy exact --norm-scale final --project calm@3")
                .split(" "));

    assertThat(request.getModel()).isEqualTo("m");
    assertThat(request.getRevision()).isEqualTo("abc");
    assertThat(request.getTenant()).isEqualTo("t");
    assertThat(request.getRequestId()).isEqualTo("id");
    assertThat(request.getLabels()).isEqualTo(Map.of("a", "1", "b", "2"));
    assertThat(request.getDeadline()).isEqualTo(NOW.plusSeconds(30));
    assertThat(request.getMaxNewTokens()).isEqualTo(3);
    assertThat(request.getSampling().getTemperature()).isEqualTo(0.7f);
    assertThat(request.getSampling().getTopP()).isEqualTo(0.9f);
    assertThat(request.getSampling().getTopK()).isEqualTo(40);
    assertThat(request.getSampling().getMinP()).isEqualTo(0.05f);
    assertThat(request.getSampling().getRepetitionPenalty()).isEqualTo(1.1f);
    assertThat(request.getSampling().getSeed()).isEqualTo(7);
    assertThat(request.getStop()).containsExactly("END");
    assertThat(request.getIgnoreEos()).isTrue();
    assertThat(request.getLogProbs()).isTrue();
    assertThat(request.getCapture().getLayers()).isEqualTo("0-3,-1");
    assertThat(request.getCapture().getHookPoints())
        .containsExactly(HookPoint.RESIDUAL_POST, HookPoint.MLP_OUTPUT);
    assertThat(request.getCapture().getPositions()).isEqualTo("last_prompt");
    assertThat(request.getCapture().getDtype()).isEqualTo(ElementType.BFLOAT16);
    assertThat(request.getLenses()).hasSize(2);
    assertThat(request.getLenses().get(1).getName()).isEqualTo("tuned");
    assertThat(request.getLenses().get(1).getTopK()).isEqualTo(3);
    assertThat(request.getLenses().get(1).getMetrics())
        .containsExactly(
            LensMetric.TOP_K, LensMetric.KL, LensMetric.TARGETS, LensMetric.PROJECTIONS);
    assertThat(request.getLenses().get(1).getTargetIds()).containsExactly(4, 5);
    assertThat(request.getLenses().get(1).getTargetTexts()).containsExactly("Paris");
    assertThat(request.getLenses().get(1).getNormScale()).isEqualTo(NormScale.FINAL);
    assertThat(request.getLenses().get(1).getProjections()).containsExactly("calm@3");
    assertThat(request.getLenses().get(1).getAccuracy()).isEqualTo(LensAccuracy.EXACT);
  }

  @Test
  void shouldAskForEveryMetricWhenAllAreWanted() {
    LensRequest lens = parse("x", "--lens", "logit,tuned", "--metrics", "all").getLenses().get(1);

    assertThat(lens.getName()).isEqualTo("tuned");
    assertThat(lens.getMetrics())
        .containsExactly(
            LensMetric.TOP_K,
            LensMetric.ENTROPY,
            LensMetric.LOG_SUM_EXP,
            LensMetric.TARGETS,
            LensMetric.KL,
            LensMetric.JS);
    assertThat(ServedLenses.refusal(lens)).isEmpty();
  }

  @Test
  void shouldTakeEachSteerWithTheOptionsThatFollowIt() {
    List<SteeringRequest> steering =
        parse(
                ("x --steer honesty@3=1.5 --steer-positions from_label --steer-operation ablate"
                        + " --steer-layers 4- --steer-hook-point residual_post --steer-preserve-norm"
                        + " --steer calm@production=-2 --steer bold=0.5")
                    .split(" "))
            .getSteering();

    assertThat(steering).hasSize(3);
    assertThat(steering.get(0))
        .isEqualTo(
            SteeringRequest.newBuilder()
                .setName("honesty")
                .setVersion(3)
                .setMultiplier(1.5f)
                .setPositions("from_label")
                .setOperation(SteeringOperation.ABLATE)
                .setLayers("4-")
                .setHookPoint(HookPoint.RESIDUAL_POST)
                .setPreserveNorm(true)
                .build());
    assertThat(steering.get(1))
        .isEqualTo(
            SteeringRequest.newBuilder()
                .setName("calm")
                .setAlias("production")
                .setMultiplier(-2f)
                .build());
    assertThat(steering.get(2))
        .isEqualTo(SteeringRequest.newBuilder().setName("bold").setMultiplier(0.5f).build());
  }

  @Test
  void shouldTakeTokenIdsAsTheWholePrompt() {
    assertThat(parse("--token-ids", "1,2,3").getPrompt().getTokenIds()).containsExactly(1, 2, 3);
    assertThat(parse("--token-ids", "1,2,3").getPrompt().getText()).isNull();
  }

  @Test
  void shouldMakeMessagesOfChats() {
    assertThat(parse("--chat", "hello").getPrompt().getMessages())
        .containsExactly(new ChatMessage("user", "hello", null));
    assertThat(
            parse("--message", "system=be brief", "--message", "user=a=b?")
                .getPrompt()
                .getMessages())
        .containsExactly(
            new ChatMessage("system", "be brief", null), new ChatMessage("user", "a=b?", null));
    assertThat(parse("--message", "system=be brief", "hello").getPrompt().getMessages())
        .containsExactly(
            new ChatMessage("system", "be brief", null), new ChatMessage("user", "hello", null));
  }

  @Test
  void shouldGiveTheChatTemplateToolsAndVariables(@TempDir Path folder) throws IOException {
    Path tools = Files.writeString(folder.resolve("tools.json"), "[{\"name\": \"f\"}]");
    Path messages =
        Files.writeString(
            folder.resolve("chat.json"),
            """
            [{"role": "user", "content": "hi"},
             {"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}]
            """);
    Prompt prompt =
        parse(
                "--messages=" + messages,
                "--message=tool=7",
                "--tools=" + tools,
                "--no-thinking",
                "--template-variable=date_string=1 May",
                "--template-variable=depth=3")
            .getPrompt();
    assertThat(prompt.getMessages())
        .containsExactly(
            new ChatMessage("user", "hi", null),
            new ChatMessage(
                "assistant",
                "",
                "{\"tool_calls\":[{\"function\":{\"name\":\"f\"}}],\"content\":null}"),
            new ChatMessage("tool", "7", null));
    assertThat(prompt.getTools()).isEqualTo("[{\"name\":\"f\"}]");
    assertThat(prompt.getTemplateVariables())
        .isEqualTo("{\"date_string\":\"1 May\",\"depth\":3,\"enable_thinking\":false}");
    assertThat(parse("--chat", "--thinking", "x").getPrompt().getTemplateVariables())
        .isEqualTo("{\"enable_thinking\":true}");
    assertThat(parse("--chat", "x").getPrompt().getTemplateVariables()).isNull();
  }

  @Test
  void shouldCaptureAtAllHookPointsOrNone() {
    assertThat(parse("x", "--hook-points", "all").getCapture().getHookPoints())
        .hasSize(7)
        .doesNotContain(HookPoint.UNKNOWN);
    assertThat(parse("x", "--hook-points", "none").getCapture().getHookPoints()).isEmpty();
    assertThat(parse("x", "--lens", "none").getLenses()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "\"\" | there is no prompt",
        "a -p b | give the prompt once",
        "--token-ids 1 a | --token-ids is the whole prompt",
        "--chat | --chat needs the user's message",
        "a --thinking | go with a chat: add --chat",
        "--chat a --tools nowhere.json | there is no file nowhere.json",
        "--chat a --template-variable tools=1 | 'tools' is a field of the prompt",
        "a --message x | 'x' is not ROLE=TEXT",
        "a --temperature -1 | --temperature must be 0 or more",
        "a --top-p 0 | --top-p must be over 0",
        "a --max-new-tokens -1 | --max-new-tokens must be 0 or more",
        "a --repetition-penalty 0 | --repetition-penalty must be over 0",
        "a --top-k-lens 0 | --top-k-lens must be 1 or more",
        "a --hook-points nowhere | 'nowhere' is none of residual_pre",
        "a --hook-points unknown | 'unknown' is none of residual_pre",
        "a --metrics magic | 'magic' is none of top_k",
        "a --norm-scale mine | 'mine' is none of own, final",
        "a --positions nowhere | 'nowhere' is not a position",
        "a --steer x | 'x' is not NAME=MULTIPLIER",
        "a --steer x=much | the multiplier 'much' is not a number",
        "a --steer x=NaN | the multiplier 'NaN' is not a number",
        "a --steer-positions all | Missing required argument",
        "a --deadline soon | 'soon' is not a duration",
        "a --seed many | 'many' is not a long",
        "a --surely | Unknown option",
      })
  void shouldNameWhatIsWrong(String arguments, String message) {
    String[] split = arguments.isEmpty() ? new String[0] : arguments.split(" ");

    assertThatThrownBy(() -> parse(split))
        .isInstanceOf(ParameterException.class)
        .hasMessageContaining(message);
  }

  private static PromptRequest parse(String... arguments) {
    Probe probe = new Probe();
    new CommandLine(probe).parseArgs(arguments);
    try {
      return probe.request.toRequest(Clock.fixed(NOW, ZoneOffset.UTC));
    } catch (CommandLine.TypeConversionException e) {
      throw new ParameterException(new CommandLine(probe), e.getMessage(), e);
    }
  }
}
