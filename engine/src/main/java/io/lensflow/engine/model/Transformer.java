package io.lensflow.engine.model;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.LoadProgress;
import io.lensflow.engine.RankInfo;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.capture.CaptureStaging;
import io.lensflow.engine.capture.RowCollector;
import io.lensflow.engine.capture.SequenceCapture;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.checkpoint.SlidingWindow;
import io.lensflow.engine.model.PassPlanner.Pass;
import io.lensflow.engine.model.PassPlanner.Slice;
import io.lensflow.engine.steering.DeviceVector;
import io.lensflow.engine.steering.PreparedVector;
import io.lensflow.engine.steering.StepSteering;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.TensorKernels;
import io.lensflow.text.Tokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * An engine of R tensor-parallel ranks that hold a pre-norm decoder together. Ranks are threads of
 * this process; what they share lies in its memory. The caller's thread runs rank 0.
 */
public final class Transformer implements Engine {
  private final ModelConfig config;
  private final SlidingWindow window;
  private final Argument attentionKinds;
  private final Tokenizer tokenizer;
  private final String revision;
  private final DType dtype;
  private final boolean deterministic;
  private final RankThreads threads;
  private final List<Rank> ranks;
  private final List<TensorKernels> tensors;
  private final KvBlocks blocks;
  private final CaptureStaging staging;
  private final AllReduce reduce;
  private boolean closed;

  private Transformer(
      Checkpoint checkpoint,
      Tokenizer tokenizer,
      DType dtype,
      EngineOptions options,
      RankThreads threads,
      List<Rank> ranks,
      KvBlocks blocks) {
    this.config = checkpoint.config().model();
    this.window = checkpoint.config().window();
    this.attentionKinds = kinds(config.layers(), window);
    this.tokenizer = tokenizer;
    this.revision = checkpoint.revision();
    this.dtype = dtype;
    this.deterministic = options.deterministic();
    this.threads = threads;
    this.ranks = ranks;
    this.blocks = blocks;
    int[] columns = new int[ranks.size()];
    for (int rank = 0; rank < columns.length; rank++) {
      columns[rank] = new Shard(rank, columns.length).columns(config).count();
    }
    this.tensors = ranks.stream().map(Rank::tensors).toList();
    this.staging =
        new CaptureStaging(tensors, config.layers(), columns, dtype, options.stagingBytes());
    this.reduce = ranks.size() == 1 ? null : new AllReduce(tensors, config.hiddenSize(), dtype);
  }

  /**
   * Reads the weights of an open checkpoint, each rank its own.
   *
   * @param tokenizer owned by the engine from here on
   * @throws IllegalArgumentException if the model cannot be split into so many ranks, or a device
   *     is not there
   */
  public static Transformer load(
      Checkpoint checkpoint, Tokenizer tokenizer, EngineOptions options, LoadProgress progress)
      throws IOException {
    ModelConfig config = checkpoint.config().model();
    int count = options.ranks();
    Shard.check(config, count);
    DType wanted = options.dtype() == null ? checkpoint.config().storage() : options.dtype();
    DType dtype = wanted == DType.FLOAT16 ? DType.FLOAT32 : wanted;
    KvBlocks blocks = new KvBlocks(options.kvTokens());
    LoadMeter meter = new LoadMeter(checkpoint, progress);
    RankThreads threads = new RankThreads("lensflow-rank", count);
    List<Rank> loaded = Collections.synchronizedList(new ArrayList<>());
    try {
      List<Rank> ranks =
          threads.run(
              rank ->
                  () -> {
                    Rank own =
                        Rank.load(
                            checkpoint,
                            new Shard(rank, count),
                            options.device(rank),
                            dtype,
                            Math.max(1, options.threads() / count),
                            blocks.tokens(),
                            meter::add);
                    loaded.add(own);
                    return own;
                  },
              failure -> {});
      meter.end();
      return new Transformer(checkpoint, tokenizer, dtype, options, threads, ranks, blocks);
    } catch (Throwable e) {
      loaded.forEach(Rank::close);
      threads.close();
      if (e instanceof IOException io) {
        throw io;
      }
      if (e instanceof Error error) {
        throw error;
      }
      throw e instanceof RuntimeException known ? known : new IllegalStateException(e);
    }
  }

  /** Per layer whether it attends to everything (0) or to a window (1). */
  private static Argument kinds(int layers, SlidingWindow window) {
    long[] kinds = new long[layers];
    if (window != null) {
      window.layers().forEach(layer -> kinds[layer] = 1);
    }
    return Argument.of(kinds);
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
    return Math.min(config.maxPositions(), blocks.tokens());
  }

  @Override
  public String device() {
    return String.join(",", tensors.stream().map(TensorKernels::device).distinct().toList());
  }

  @Override
  public List<RankInfo> ranks() {
    return ranks.stream().map(Rank::info).toList();
  }

  @Override
  public int freeKvTokens() {
    return blocks.freeTokens();
  }

  @Override
  public PreparedVector prepare(float[] values) {
    enter();
    return new DeviceVector(tensors, values, config.hiddenSize());
  }

  @Override
  public Sequence open(SequenceOptions options) {
    return open(options, null, 0);
  }

  @Override
  public Sequence fork(Sequence source, int length, SequenceOptions options) {
    enter();
    if (deterministic) {
      throw new IllegalArgumentException("a deterministic engine computes every row itself");
    }
    RunningSequence from = SequenceCheck.own(this, source);
    SequenceCheck.prefix(from, length, options);
    return open(options, from, length);
  }

  private Sequence open(SequenceOptions options, RunningSequence source, int begin) {
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
                  blocks.tokens() < config.maxPositions()
                      ? "kvTokens is " + blocks.tokens()
                      : "max_position_embeddings is " + config.maxPositions()));
    }
    SequenceCapture capture =
        new SequenceCapture(options.capture(), options.promptLength(), config.layers());
    staging.check(capture, PassPlanner.fewestRows(deterministic));
    StepSteering.check(options.steering(), config.layers(), config.hiddenSize());
    return new RunningSequence(
        this, options, capture, blocks.reserve(options.maxLength()), source, begin);
  }

  /** One of the R ranks. */
  Rank rank(int index) {
    return ranks.get(index);
  }

  void release(RunningSequence sequence) {
    blocks.release(sequence.runs());
  }

  @Override
  public List<StepOutput> step(List<StepInput> inputs) {
    enter();
    SequenceCheck.inputs(this, inputs);
    RowCollector[] collectors = new RowCollector[inputs.size()];
    LogitCollector[] logits = new LogitCollector[inputs.size()];
    for (int i = 0; i < collectors.length; i++) {
      StepInput input = inputs.get(i);
      collectors[i] = collector((RunningSequence) input.sequence(), input.tokenIds().length);
      logits[i] = new LogitCollector(input, config.vocabularySize());
    }
    for (Pass pass : PassPlanner.plan(inputs, collectors, staging, deterministic)) {
      run(pass, collectors, logits);
    }
    List<StepOutput> outputs = new ArrayList<>(inputs.size());
    for (int i = 0; i < collectors.length; i++) {
      RowCollector rows = collectors[i];
      outputs.add(
          new StepOutput(
              inputs.get(i).sequence(),
              logits[i].logits(),
              logits[i].summary(),
              rows == null ? List.of() : rows.rows(),
              rows == null ? null : rows.finalRows()));
    }
    return outputs;
  }

  /** Room for what the next tokens of a sequence capture; null if they capture nothing. */
  private RowCollector collector(RunningSequence sequence, int count) {
    if (sequence.options().capture().isEmpty()) {
      return null;
    }
    int[] positions = sequence.capture().positions(sequence.length(), count);
    return positions.length == 0
        ? null
        : new RowCollector(sequence.capture(), positions, dtype, config.hiddenSize());
  }

  private void run(Pass pass, RowCollector[] collectors, LogitCollector[] logits) {
    CaptureStaging stage = null;
    if (!pass.places().isEmpty()) {
      staging.prepare(pass.places(), pass.rowCount());
      stage = staging;
    }
    if (reduce != null) {
      reduce.prepare(pass.rowCount());
    }
    StepLayout layout =
        new StepLayout(
            pass,
            window == null ? 0 : window.size(),
            KvCache.spareRow(blocks.tokens()),
            !deterministic);
    take(pass, layout, onRanks(pass, layout, stage), collectors, logits);
  }

  private List<Rank.Output> onRanks(Pass pass, StepLayout layout, CaptureStaging stage) {
    boolean keepLogits = pass.slices().stream().anyMatch(slice -> slice.logits().leaveDevice());
    StepSteering steering = steering(pass, layout);
    if (reduce == null) {
      return List.of(ranks.get(0).run(layout, attentionKinds, steering, stage, null, keepLogits));
    }
    try {
      return threads.run(
          rank ->
              () ->
                  ranks.get(rank).run(layout, attentionKinds, steering, stage, reduce, keepLogits),
          reduce.rendezvous()::breakUp);
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static StepSteering steering(Pass pass, StepLayout layout) {
    StepSteering steering = new StepSteering(pass.rowCount());
    for (int i = 0; i < pass.slices().size(); i++) {
      Slice slice = pass.slices().get(i);
      steering.add(
          slice.sequence().options().steering(),
          slice.sequence().promptLength(),
          layout.firstRow(i),
          slice.position(),
          slice.ids().length);
    }
    return steering;
  }

  private void take(
      Pass pass,
      StepLayout layout,
      List<Rank.Output> outputs,
      RowCollector[] collectors,
      LogitCollector[] logits) {
    try {
      for (int i = 0; i < pass.slices().size(); i++) {
        Slice slice = pass.slices().get(i);
        int count = slice.ids().length;
        logits[slice.input()].take(slice, layout.logitRow(i), outputs);
        RowCollector collector = collectors[slice.input()];
        if (collector != null) {
          collector.take(staging, layout.firstRow(i), slice.position(), count);
        }
        slice.sequence().advance(count);
      }
    } finally {
      outputs.forEach(Rank.Output::close);
    }
  }

  private void enter() {
    if (closed) {
      throw new IllegalStateException("the engine is closed");
    }
    Throwable broken = reduce == null ? null : reduce.rendezvous().broken();
    if (broken != null) {
      throw new IllegalStateException("a rank failed before; load the engine anew", broken);
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    threads.close();
    staging.close();
    if (reduce != null) {
      reduce.close();
    }
    ranks.forEach(Rank::close);
    attentionKinds.close();
    tokenizer.close();
  }
}
