package io.lensflow.cli.command;

import io.lensflow.cli.option.LocalModel;
import io.lensflow.cli.output.LoadBar;
import io.lensflow.cli.output.Terminal;
import io.lensflow.engine.capture.CaptureLensOptions;
import io.lensflow.engine.capture.CaptureOptions;
import io.lensflow.engine.capture.CaptureRun;
import io.lensflow.hub.ModelSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code lensflow capture}: the engine alone, for looking and for checking against others. */
@Command(
    name = "capture",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Run a checkpoint without Kafka and write its rows to a file.",
      "The safetensors file holds token_ids [P], generated_ids [G], logits [N, V] float32, N = P+G-1"
          + " rows, and of the rows at positions [N'] one tensor [layers, N', D] for each hook point, and with"
          + " --lens what the lens says about them."
          + " Generation is greedy; the generated text goes to standard output."
    })
public final class CaptureCommand implements Callable<Integer> {
  /** The prompt, one way or the other. */
  static final class Prompt {
    @Option(
        names = "--prompt",
        required = true,
        paramLabel = "TEXT",
        description = "The prompt's text, tokenised as the tokenizer does by itself.")
    String text;

    @Option(
        names = "--token-ids",
        required = true,
        paramLabel = "1,2,3",
        description = "The prompt as token ids.")
    String tokenIds;
  }

  @Spec CommandSpec spec;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "DIR|ID",
      description = {
        "Checkpoint: a folder in Hugging Face layout, or a hub id, org/name[@revision]."
      })
  String model;

  @ArgGroup(multiplicity = "1")
  Prompt prompt;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      defaultValue = "16",
      description = "Most tokens to generate; 0 only reads the prompt (default: ${DEFAULT-VALUE}).")
  int maxNewTokens;

  @Option(names = "--ignore-eos", description = "Go on past the model's end-of-sequence token.")
  boolean ignoreEos;

  @Option(
      names = "--hook-points",
      paramLabel = "POINT,…",
      defaultValue = "residual_post",
      description = {
        "residual_pre, attention_input, attention_output, residual_mid, mlp_input, mlp_output,",
        "residual_post, or all (default: ${DEFAULT-VALUE})."
      })
  String hookPoints;

  @Option(
      names = "--layers",
      paramLabel = "SPEC",
      defaultValue = "all",
      description = "all, 0-3,8,-1, 5- (default: ${DEFAULT-VALUE}).")
  String layers;

  @Option(
      names = "--positions",
      paramLabel = "SPEC",
      defaultValue = "all",
      description =
          "Rows: all, prompt, generated, last_prompt, from_label, or 1-3,-1 and the like"
              + " (default: ${DEFAULT-VALUE}).")
  String positions;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      description = "float32 or bfloat16 (default: the checkpoint's own).")
  String dtype;

  @Option(
      names = "--tensor-parallel",
      paramLabel = "R",
      defaultValue = "1",
      description = "Ranks to split the model over (default: ${DEFAULT-VALUE}).")
  int ranks;

  @Option(
      names = "--devices",
      paramLabel = "DEVICE",
      split = ",",
      description =
          "Where the ranks are, one for each, such as cuda:0,cuda:1; cpu:0 is the CPU treated like"
              + " a device of its own (default: the CPU).")
  List<String> devices = List.of();

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Threads, all ranks together; 0 takes all processors (default: ${DEFAULT-VALUE}).")
  int threads;

  @Option(
      names = "--deterministic",
      description = {
        "Run products at fixed shapes: rows are bit-identical to those of a worker whose",
        "engine.deterministic is true, for the same chunks of the prompt and the same ranks."
      })
  boolean deterministic;

  @Option(
      names = "--steering",
      paramLabel = "FILE.json",
      description = {
        "Vectors to apply, in order: a list of {\"vector\": {\"file\", \"tensor\"}, \"layer\",",
        "\"hookPoint\", \"operation\", \"multiplier\", \"positions\", \"preserveNorm\"}."
      })
  Path steering;

  @Option(
      names = "--lens",
      paramLabel = "POINT,…",
      description = {
        "Decode the rows of these hook points, or all, and write lens.<hook point>.<metric>:",
        "top_ids, top_logits, top_probs [layers, N, k]; entropy, log_sum_exp, target_logit,",
        "target_logprob, target_rank, kl, js [layers, N]. The target is the token that came next."
      })
  String lens;

  @Option(
      names = "--metrics",
      paramLabel = "METRIC,…",
      defaultValue = "all",
      description = {
        "What the lens computes: top_k, entropy, log_sum_exp, targets, kl, js, or all (default:",
        "${DEFAULT-VALUE})."
      })
  String metrics;

  @Option(
      names = "--accuracy",
      paramLabel = "PATH",
      defaultValue = "exact",
      description = {
        "fast or exact (default: ${DEFAULT-VALUE}). kl and js are always computed the exact way."
      })
  String accuracy;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "5",
      description = "Tokens the lens reports per row (default: ${DEFAULT-VALUE}).")
  int topK;

  @Option(
      names = "--translator",
      paramLabel = "FILE",
      description = "A lens file to look through instead of the plain logit lens.")
  Path translator;

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "FILE.safetensors",
      description = "Where to write.")
  Path output;

  @Override
  public Integer call() throws IOException {
    try {
      CaptureRun.Summary summary = run(LocalModel.resolve(model));
      Terminal.standardOutput().println(summary.text());
      Terminal.standardError()
          .printf("%d rows a layer written to %s%n", summary.rows(), output.toAbsolutePath());
      return 0;
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private CaptureRun.Summary run(Path folder) throws IOException {
    String name = ModelSource.of(model).servedName();
    try (LoadBar progress = LoadBar.onStandardError(name)) {
      return CaptureRun.run(
          new CaptureOptions(
              folder,
              name,
              prompt.text,
              prompt.tokenIds,
              maxNewTokens,
              ignoreEos,
              hookPoints,
              layers,
              positions,
              dtype,
              ranks,
              devices,
              threads,
              deterministic,
              steering,
              lens == null
                  ? null
                  : new CaptureLensOptions(lens, metrics, accuracy, topK, translator),
              output),
          progress);
    }
  }
}
