package io.lensflow.cli.option;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.cli.CommandFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** What an evaluation measures, on what. */
public final class EvaluationOptions {
  @Option(
      names = "--test",
      paramLabel = "ITEMS",
      description = "Items to judge by, by number from 0, such as 200-239.")
  String test;

  @Option(
      names = "--train",
      paramLabel = "ITEMS",
      description = {
        "Items that the control of shuffled labels is built from, and a sweep",
        "(default: those that the version was built from, where it says so)."
      })
  String train;

  @Option(
      names = "--validation",
      paramLabel = "ITEMS",
      description = "Items that choose a sweep's site.")
  String validation;

  @Option(
      names = "--split",
      paramLabel = "SEED",
      description = "Split the items into train, validation and test; instead of ranges.")
  Long split;

  @Option(
      names = "--layer",
      paramLabel = "N|SPEC",
      description = {
        "Of a vector with several sites, the one of this layer. With --sweep: layers to try",
        "(default: all)."
      })
  String layer;

  @Option(
      names = "--hook-point",
      paramLabel = "HOOK_POINT",
      split = ",",
      description = {
        "Likewise its hook point. With --sweep: hook points to try, by commas (default:",
        "ATTENTION_INPUT,RESIDUAL_POST)."
      })
  List<String> hookPoints = new ArrayList<>();

  @Option(
      names = "--multipliers",
      paramLabel = "M",
      split = ",",
      description = "By commas (default: -1.5 … 1.5 in steps of 0.5).")
  List<Double> multipliers = new ArrayList<>();

  @Option(
      names = "--positions",
      paramLabel = "POSITIONS",
      description = "Rows that are steered (default: last_prompt).")
  String positions;

  @Option(names = "--no-controls", description = "Without vectors of equal norm beside it.")
  boolean withoutControls;

  @Option(
      names = "--neutral",
      paramLabel = "FILE",
      description = "Text that side effects are measured on (default: one that comes along).")
  Path neutral;

  @Option(names = "--no-side-effects", description = "Do not measure side effects.")
  boolean withoutSideEffects;

  @Option(
      names = "--generate",
      paramLabel = "PROMPT",
      description = "Continue this prompt side by side at several multipliers; repeatable.")
  List<String> prompts = new ArrayList<>();

  @Option(
      names = "--generate-questions",
      paramLabel = "N",
      description = "Continue the first N test questions likewise.")
  Integer questions;

  @Option(
      names = "--generate-multipliers",
      paramLabel = "M",
      split = ",",
      description = "Multipliers of that (default: the lowest, 0 and the highest).")
  List<Double> promptMultipliers = new ArrayList<>();

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      description = "Most tokens of each continuation (default: 48).")
  Integer maxNewTokens;

  @Option(
      names = "--sweep",
      description = {
        "Build vectors at all layers and hook points from the train items, choose the site with",
        "the largest mean slope on the validation items, and measure that one on the test items."
      })
  boolean sweep;

  @Option(
      names = "--publish",
      description = "With --sweep: publish the best vector as the next version of the name.")
  boolean publish;

  @Option(
      names = "--method",
      paramLabel = "METHOD",
      description = {
        "How a sweep and the control of shuffled labels are built: mean-difference, pca or logistic",
        "(default: as the version says, or mean-difference)."
      })
  String method;

  @Option(
      names = "--balance",
      paramLabel = "label|none",
      description = "Likewise (default: as the version was built, where that is known, or label).")
  String balance;

  @Option(names = "--seed", paramLabel = "SEED", description = "Of everything random (default: 0).")
  Long seed;

  /** Whether sites are searched for, so that no version is there yet. */
  public boolean isSweep() {
    return sweep;
  }

  /**
   * Adds what is sent of it.
   *
   * @throws CommandFailure if options contradict one another, or the neutral text cannot be read
   */
  public ObjectNode addTo(ObjectNode body) {
    if (publish && !sweep) {
      throw new CommandFailure("--publish: only with --sweep; the vector is published already");
    }
    put(body, "test", test);
    put(body, "train", train);
    put(body, "validation", validation);
    put(body, "positions", positions);
    put(body, "method", method);
    put(body, "balance", balance);
    put(body, "split", split);
    put(body, "seed", seed);
    put(body, "questions", questions);
    put(body, "maxNewTokens", maxNewTokens);
    putNumbers(body, "multipliers", multipliers);
    putNumbers(body, "promptMultipliers", promptMultipliers);
    if (withoutControls) {
      body.put("controls", false);
    }
    put(body, "neutral", withoutSideEffects ? "" : neutralText());
    if (!prompts.isEmpty()) {
      prompts.forEach(body.putArray("prompts")::add);
    }
    if (sweep) {
      ObjectNode where = body.putObject("sweep").put("publish", publish);
      put(where, "layers", layer);
      if (!hookPoints.isEmpty()) {
        hookPoints.forEach(where.putArray("hookPoints")::add);
      }
    } else {
      site(body);
    }
    return body;
  }

  private void site(ObjectNode body) {
    if (hookPoints.size() > 1) {
      throw new CommandFailure("--hook-point: several only with --sweep");
    }
    put(body, "hookPoint", hookPoints.isEmpty() ? null : hookPoints.get(0));
    if (layer != null) {
      try {
        body.put("layer", Integer.parseInt(layer));
      } catch (NumberFormatException e) {
        throw new CommandFailure("--layer: '%s': several only with --sweep".formatted(layer), e);
      }
    }
  }

  private String neutralText() {
    try {
      return neutral == null ? null : Files.readString(neutral);
    } catch (IOException e) {
      throw new CommandFailure("--neutral: %s cannot be read: %s".formatted(neutral, e), e);
    }
  }

  private static void put(ObjectNode body, String field, Object value) {
    if (value != null) {
      body.putPOJO(field, value);
    }
  }

  private static void putNumbers(ObjectNode body, String field, List<Double> values) {
    if (!values.isEmpty()) {
      ArrayNode array = body.putArray(field);
      values.forEach(array::add);
    }
  }
}
