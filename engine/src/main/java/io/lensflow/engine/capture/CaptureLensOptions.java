package io.lensflow.engine.capture;

import java.nio.file.Path;

/**
 * Which lens metrics a {@link CaptureRun} is asked for, as a command line says it.
 *
 * @param hookPoints whose rows are decoded, such as {@code residual_post,residual_mid}, or {@code
 *     all}
 * @param metrics {@code top_k}, {@code entropy}, {@code log_sum_exp}, {@code targets}, {@code kl},
 *     {@code js}, or {@code all}
 * @param accuracy {@code fast} or {@code exact}
 * @param topK k, tokens reported per row
 * @param translator a lens file; null for the plain logit lens
 */
public record CaptureLensOptions(
    String hookPoints, String metrics, String accuracy, int topK, Path translator) {}
