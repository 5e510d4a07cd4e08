package io.lensflow.worker;

import io.lensflow.engine.DType;
import io.lensflow.engine.RankInfo;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.model.RopeConfig;
import io.lensflow.records.PromptRequest;
import io.lensflow.text.Tokenizer;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.request.Attempt;
import io.lensflow.worker.request.InvalidRequestException;
import io.lensflow.worker.request.Lane;
import io.lensflow.worker.request.RequestValidator;
import io.lensflow.worker.request.Run;
import io.lensflow.worker.steering.PinnedSteering;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Set;

/** Runs and what they are made of, for unit tests. */
public final class Runs {
  /** One token per byte. */
  public static final Tokenizer TOKENIZER = tokenizer();

  private Runs() {}

  private static Tokenizer tokenizer() {
    try {
      return Tokenizer.load(Path.of("src/test/resources/byte-tokenizer"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** An engine of so many layers and so many values a row. */
  public static EngineInfo engine(int layers, int hiddenSize) {
    ModelConfig config =
        new ModelConfig(
            "Scripted",
            layers,
            hiddenSize,
            1,
            1,
            hiddenSize,
            hiddenSize,
            257,
            200,
            1e-5,
            new RopeConfig(10_000, null),
            false,
            Set.of(256));
    return new EngineInfo(
        config,
        "scripted-1",
        DType.FLOAT32,
        200,
        "script",
        4000,
        List.of(new RankInfo(0, "script", 0, 0, 0)));
  }

  public static WorkerIdentity identity() {
    return new WorkerIdentity("w", "incarnation", Instant.EPOCH, "scripted", "hash");
  }

  /** A run of a request as a worker with this engine admits it. */
  public static Run run(EngineInfo engine, PromptRequest request) {
    return run(engine, request, 1, false);
  }

  public static Run run(EngineInfo engine, PromptRequest request, int attempt, boolean last) {
    return run(engine, request, attempt, last, Lane.INTERACTIVE);
  }

  public static Run run(
      EngineInfo engine, PromptRequest request, int attempt, boolean last, Lane lane) {
    try {
      return new Run(
          new RequestValidator("scripted", engine, TOKENIZER).validate(request, null),
          new Attempt("attempt-" + request.getRequestId() + "-" + attempt, attempt),
          PinnedSteering.NONE,
          last,
          lane);
    } catch (InvalidRequestException e) {
      throw new AssertionError(e);
    }
  }
}
