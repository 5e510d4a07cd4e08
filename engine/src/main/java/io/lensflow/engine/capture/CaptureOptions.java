package io.lensflow.engine.capture;

import java.nio.file.Path;
import java.util.List;

/**
 * What {@link CaptureRun} is asked for, as a command line says it.
 *
 * @param model checkpoint folder
 * @param modelName what the file calls the model; null for the folder's name
 * @param prompt text; null if token ids are given
 * @param tokenIds such as {@code 1,2,3}; null if a text is given
 * @param maxNewTokens at least 0; 0 only reads the prompt
 * @param ignoreEos go on after an end-of-sequence token
 * @param hookPoints such as {@code residual_post,mlp_output}, or {@code all}
 * @param layers such as {@code 0-3,-1}, or {@code all}
 * @param positions such as {@code all}, {@code generated}, {@code 0,2,-1} or {@code 1-}
 * @param dtype {@code float32} or {@code bfloat16}; null takes the checkpoint's
 * @param tensorParallel R, ranks
 * @param devices where the ranks are, one for each, such as {@code cuda:0}; empty for the CPU
 * @param threads threads that operators spread over, all ranks together; 0 takes all processors
 * @param deterministic whether products run at fixed shapes, as in a deterministic engine
 * @param steering a JSON file ({@link io.lensflow.engine.steering.SteeringFile}); null for none
 * @param lens what the lens shall say about rows; null for nothing
 * @param output the safetensors file to write
 */
public record CaptureOptions(
    Path model,
    String modelName,
    String prompt,
    String tokenIds,
    int maxNewTokens,
    boolean ignoreEos,
    String hookPoints,
    String layers,
    String positions,
    String dtype,
    int tensorParallel,
    List<String> devices,
    int threads,
    boolean deterministic,
    Path steering,
    CaptureLensOptions lens,
    Path output) {
  public CaptureOptions {
    devices = List.copyOf(devices);
  }
}
