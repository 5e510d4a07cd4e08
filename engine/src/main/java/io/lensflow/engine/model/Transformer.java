package io.lensflow.engine.model;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.capture.CaptureStaging;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.capture.SequenceCapture;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.steering.DeviceVector;
import io.lensflow.engine.steering.PreparedVector;
import io.lensflow.engine.steering.StepSteering;
import io.lensflow.engine.steering.StepSteering.LayerSteering;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.KernelThread;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import io.lensflow.text.Tokenizer;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** An engine of one rank: a pre-norm decoder on one device. */
public final class Transformer implements Engine {
  private final ModelConfig config;
  private final String contextReason;
  private final Tokenizer tokenizer;
  private final String revision;
  private final DType dtype;
  private final int threads;
  private final TensorKernels tensors;
  private final TransformerKernels kernels;
  private final Weights weights;
  private final KvPool pool;
  private final CaptureStaging staging;
  private final LayerSteering unsteered = LayerSteering.none();
  private final Argument nothing = Argument.of(new long[0]);
  private final Argument noTensors = Argument.of(List.of());
  private boolean closed;

  private Transformer(
      Checkpoint checkpoint,
      Tokenizer tokenizer,
      DType dtype,
      EngineOptions options,
      TensorKernels tensors,
      TransformerKernels kernels,
      Weights weights) {
    this.config = checkpoint.config().model();
    this.contextReason = checkpoint.config().contextReason();
    this.tokenizer = tokenizer;
    this.revision = checkpoint.revision();
    this.dtype = dtype;
    this.threads = options.threads();
    this.tensors = tensors;
    this.kernels = kernels;
    this.weights = weights;
    this.pool = new KvPool(tensors, config, dtype, options.kvTokens());
    this.staging = new CaptureStaging(tensors, config.layers(), config.hiddenSize(), dtype);
  }

  /**
   * Reads the weights of an open checkpoint.
   *
   * @param tokenizer owned by the engine from here on
   */
  public static Transformer load(Checkpoint checkpoint, Tokenizer tokenizer, EngineOptions options)
      throws IOException {
    KernelThread.useThreads(options.threads());
    DType dtype = options.dtype() == null ? checkpoint.config().storage() : options.dtype();
    if (dtype == DType.FLOAT16) {
      dtype = DType.FLOAT32;
    }
    TensorKernels tensors = new TensorKernels();
    TransformerKernels kernels = new TransformerKernels();
    Weights weights = null;
    try {
      weights = new WeightsLoader(checkpoint, dtype, tensors, kernels).load();
      return new Transformer(checkpoint, tokenizer, dtype, options, tensors, kernels, weights);
    } catch (IOException | RuntimeException | Error e) {
      if (weights != null) {
        weights.close();
      }
      tensors.close();
      kernels.close();
      throw e;
    }
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  @Override
  public String revision() {
    return revision;
  }

  @Override
  public DType dtype() {
    return dtype;
  }

  @Override
  public int maxContext() {
    return Math.min(config.maxPositions(), pool.tokens());
  }

  @Override
  public String device() {
    return "cpu";
  }

  @Override
  public PreparedVector prepare(float[] values) {
    enter();
    return new DeviceVector(tensors, values, config.hiddenSize());
  }

  @Override
  public Sequence open(SequenceOptions options) {
    enter();
    if (options.promptLength() < 1) {
      throw new IllegalArgumentException("promptLength is " + options.promptLength());
    }
    if (options.maxLength() < options.promptLength() || options.maxLength() > maxContext()) {
      throw new IllegalArgumentException(
          "maxLength is %d; it must be between the prompt's %d tokens and the context of %d: %s"
              .formatted(
                  options.maxLength(),
                  options.promptLength(),
                  maxContext(),
                  pool.tokens() < config.maxPositions()
                      ? "kvTokens is " + pool.tokens()
                      : contextReason));
    }
    SequenceCapture capture =
        new SequenceCapture(options.capture(), options.promptLength(), config.layers());
    StepSteering.check(options.steering(), config.layers(), config.hiddenSize());
    return new RunningSequence(this, options, capture, pool.reserve(options.maxLength()));
  }

  void release(RunningSequence sequence) {
    if (!closed) {
      pool.release(sequence.poolStart(), sequence.options().maxLength());
    }
  }

  @Override
  public List<StepOutput> step(List<StepInput> inputs) {
    enter();
    check(inputs);
    if (inputs.isEmpty()) {
      return List.of();
    }
    try (StepLayout layout =
            new StepLayout(inputs, tensors, kernels, weights.frequencies(), dtype);
        StepSteering steering = new StepSteering(tensors)) {
      List<SequenceCapture> capturing = new ArrayList<>();
      int[][] positions = new int[inputs.size()][];
      for (int i = 0; i < inputs.size(); i++) {
        RunningSequence sequence = (RunningSequence) inputs.get(i).sequence();
        int count = inputs.get(i).tokenIds().length;
        int first = sequence.length();
        steering.add(
            sequence.options().steering(),
            sequence.promptLength(),
            layout.firstRow(i),
            first,
            count);
        if (!sequence.options().capture().isEmpty()) {
          positions[i] = sequence.capture().positions(first, count);
          if (positions[i].length > 0) {
            capturing.add(sequence.capture());
          }
        }
      }
      boolean captures = !capturing.isEmpty();
      if (captures) {
        staging.prepare(capturing, layout.rowCount());
      }
      float[] logits = run(layout, steering, captures);
      return outputs(inputs, layout, positions, logits);
    }
  }

  /** All blocks and, for the rows that want logits, the head: [M, V]. */
  private float[] run(StepLayout layout, StepSteering steering, boolean captures) {
    Tensor x = kernels.embed(weights.embedding(), layout.ids());
    try {
      for (int layer = 0; layer < config.layers(); layer++) {
        LayerSteering steered = steering.layer(layer, unsteered);
        Tensor y =
            kernels.block(
                x,
                weights.layers().get(layer),
                pool.layer(layer),
                config.rmsNormEps(),
                layout.arguments(),
                new TransformerKernels.Taps(
                    captures ? staging.slots(layer) : nothing,
                    captures ? staging.stages() : noTensors,
                    steered.edits(),
                    steered.multipliers(),
                    steered.rows(),
                    steered.vectors()));
        x.close();
        x = y;
      }
      if (layout.logitRows().length == 0) {
        return new float[0];
      }
      try (Tensor rows = tensors.integers(layout.logitRows());
          Tensor head = kernels.head(x, rows, config.rmsNormEps(), weights)) {
        FloatBuffer values = head.bytes().asFloatBuffer();
        float[] logits = new float[values.remaining()];
        values.get(logits);
        return logits;
      }
    } finally {
      x.close();
    }
  }

  private List<StepOutput> outputs(
      List<StepInput> inputs, StepLayout layout, int[][] positions, float[] logits) {
    List<StepOutput> outputs = new ArrayList<>(inputs.size());
    int logitAt = 0;
    for (int i = 0; i < inputs.size(); i++) {
      StepInput input = inputs.get(i);
      RunningSequence sequence = (RunningSequence) input.sequence();
      int wanted =
          switch (input.logits()) {
            case NONE -> 0;
            case LAST -> config.vocabularySize();
            case ALL -> config.vocabularySize() * input.tokenIds().length;
          };
      float[] own = logits;
      if (wanted != logits.length) {
        own = java.util.Arrays.copyOfRange(logits, logitAt, logitAt + wanted);
      }
      logitAt += wanted;
      List<CapturedRows> rows = List.of();
      CapturedRows finalRows = null;
      if (positions[i] != null) {
        int firstRow = layout.firstRow(i);
        rows = staging.rows(sequence.capture(), firstRow, sequence.length(), positions[i]);
        finalRows =
            staging.finalRows(sequence.capture(), firstRow, sequence.length(), positions[i]);
      }
      sequence.advance(input.tokenIds().length);
      outputs.add(new StepOutput(sequence, own, rows, finalRows));
    }
    return outputs;
  }

  /** Everything is checked before anything changes, so that a refused step leaves no trace. */
  private void check(List<StepInput> inputs) {
    Set<Sequence> seen = new HashSet<>();
    for (StepInput input : inputs) {
      if (!(input.sequence() instanceof RunningSequence sequence) || sequence.owner() != this) {
        throw new IllegalArgumentException("the sequence was opened by another engine");
      }
      if (sequence.isClosed()) {
        throw new IllegalStateException("the sequence is closed");
      }
      if (!seen.add(sequence)) {
        throw new IllegalArgumentException("a sequence stands twice in one step");
      }
      int count = input.tokenIds().length;
      int room = sequence.options().maxLength() - sequence.length();
      if (count < 1 || count > room) {
        throw new IllegalArgumentException(
            "%d tokens for a sequence at %d; it has room for %d more"
                .formatted(count, sequence.length(), room));
      }
      for (int id : input.tokenIds()) {
        if (id < 0 || id >= config.vocabularySize()) {
          throw new IllegalArgumentException(
              "token id %d is not of this model's vocabulary, 0 … %d"
                  .formatted(id, config.vocabularySize() - 1));
        }
      }
    }
  }

  private void enter() {
    if (closed) {
      throw new IllegalStateException("the engine is closed");
    }
    KernelThread.useThreads(threads);
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    staging.close();
    pool.close();
    weights.close();
    unsteered.close();
    nothing.close();
    noTensors.close();
    kernels.close();
    tensors.close();
    tokenizer.close();
  }
}
