package io.lensflow.cli.option;

import io.lensflow.records.Sampling;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How tokens are chosen and when generation ends. */
public final class SamplingOptions {
  @Spec(Spec.Target.MIXEE)
  CommandSpec command;

  @Option(
      names = {"-n", "--max-new-tokens"},
      paramLabel = "N",
      defaultValue = "64",
      description = "Most tokens to generate; 0 only reads the prompt (default: ${DEFAULT-VALUE}).")
  int maxNewTokens;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "0",
      description = "0 is greedy, the default.")
  float temperature;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      defaultValue = "1",
      description = "Sample among the tokens that make up this probability (default: all).")
  float topP;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "0",
      description = "Sample among this many tokens (default: 0, all).")
  int topK;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      defaultValue = "0",
      description = "Drop tokens less probable than this share of the most probable one.")
  float minP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      defaultValue = "1",
      description = "Over 1 makes tokens that were there already less probable.")
  float repetitionPenalty;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the sampler (default: derived from the request id).")
  Long seed;

  @Option(names = "--stop", paramLabel = "TEXT", description = "End before this text; repeatable.")
  List<String> stop = new ArrayList<>();

  @Option(names = "--ignore-eos", description = "Go on past the model's end-of-sequence token.")
  boolean ignoreEos;

  @Option(names = "--log-probs", description = "Report each token's log-probability.")
  boolean logProbs;

  /** The sampling part of a request. */
  Sampling toSampling() {
    check(maxNewTokens >= 0, "--max-new-tokens must be 0 or more");
    check(temperature >= 0 && Float.isFinite(temperature), "--temperature must be 0 or more");
    check(topP > 0 && topP <= 1, "--top-p must be over 0 and at most 1");
    check(topK >= 0, "--top-k must be 0 (all) or more");
    check(minP >= 0 && minP <= 1, "--min-p must be between 0 and 1");
    check(
        repetitionPenalty > 0 && Float.isFinite(repetitionPenalty),
        "--repetition-penalty must be over 0; 1 changes nothing");
    return Sampling.newBuilder()
        .setTemperature(temperature)
        .setTopP(topP)
        .setTopK(topK)
        .setMinP(minP)
        .setRepetitionPenalty(repetitionPenalty)
        .setSeed(seed)
        .build();
  }

  private void check(boolean valid, String message) {
    if (!valid) {
      throw new ParameterException(command.commandLine(), message);
    }
  }
}
