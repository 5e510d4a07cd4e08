package io.lensflow.decoder.replay;

import io.lensflow.decoder.log.LogRange;
import io.lensflow.records.LensRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a replay shall decode again, through which lenses, and where the results go.
 *
 * @param model served name of the model
 * @param checkpoint folder of its checkpoint; head and tokenizer are read
 * @param lenses what to compute of each chunk, in place of what its request asked for
 * @param lensFiles where translators are looked for by name: files, and folders of them; the logit
 *     lens needs none
 * @param requestId the only request; empty for all of the range
 * @param range which part of the log to read
 * @param topic where results go
 * @param share how much of each of its threads' processors it may use, above 0 and at most 1
 * @param threads threads that a kernel spreads over
 * @param batchRows rows of a full batch
 * @param maxResultBytes serialised size of a result at which it is split
 */
public record ReplayPlan(
    String model,
    Path checkpoint,
    List<LensRequest> lenses,
    List<Path> lensFiles,
    Optional<String> requestId,
    LogRange range,
    String topic,
    double share,
    int threads,
    int batchRows,
    int maxResultBytes) {
  public ReplayPlan {
    lenses = List.copyOf(lenses);
    lensFiles = List.copyOf(lensFiles);
  }
}
