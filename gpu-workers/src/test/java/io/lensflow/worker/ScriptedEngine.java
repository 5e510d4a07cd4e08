package io.lensflow.worker;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.KvCapacityException;
import io.lensflow.engine.RankInfo;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.lens.HeadSummary;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.model.RopeConfig;
import io.lensflow.engine.steering.PreparedVector;
import io.lensflow.engine.steering.SteeringSite;
import io.lensflow.text.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * An engine whose every number is known beforehand: the token after {@code t} is {@code t + 1}, and
 * a steering vector at layer 0 adds its first value to that. Captured rows hold {@link #value}. It
 * fails on command, counts what is open, and refuses to be used by two threads.
 */
public final class ScriptedEngine implements Engine {
  public static final int LAYERS = 4;
  public static final int HIDDEN = 8;
  public static final int VOCABULARY = 257;
  public static final int END = 256;
  public static final int CONTEXT = 200;

  /** What tests share with all engines that are loaded one after another. Thread-safe. */
  public static final class Script {
    public volatile long stepNanos;
    public volatile RuntimeException nextFailure;
    public volatile int poisonToken = -1;

    /** D. */
    public volatile int hidden = HIDDEN;

    /** Whether the poison takes the process with it, as a fault in native code does. */
    public volatile boolean poisonKills;

    public volatile int capacity = 4000;
    public volatile int loads;
    public volatile int openSequences;
    public volatile int preparedVectors;
    public volatile int largestStep;
    final List<List<Integer>> steps = new ArrayList<>();
    private final List<Long> starts = new ArrayList<>();

    synchronized void step(List<StepInput> inputs) {
      starts.add(System.nanoTime());
      steps.add(inputs.stream().map(input -> input.tokenIds().length).toList());
      largestStep = Math.max(largestStep, inputs.size());
    }

    public synchronized List<List<Integer>> steps() {
      return List.copyOf(steps);
    }

    /** When each of them began, by the clock of {@link System#nanoTime}. */
    public synchronized List<Long> starts() {
      return List.copyOf(starts);
    }
  }

  private final Script script;
  private final Thread owner = Thread.currentThread();
  private final Set<OpenSequence> open = new HashSet<>();
  private final Set<Vector> vectors = new HashSet<>();
  private boolean closed;

  public ScriptedEngine(Script script) {
    this.script = script;
    script.loads++;
  }

  /** Where the tokenizer of one token per byte lies. */
  public static Path modelFolder() {
    return Path.of("src/test/resources/byte-tokenizer");
  }

  /** What a captured row holds at every index. */
  static float value(int layer, int position, HookPoint hookPoint) {
    return position + 0.25f * layer + 1000 * hookPoint.ordinal();
  }

  private final class OpenSequence implements Sequence {
    private final SequenceOptions options;

    /** Whose tokens it begins with until it has taken them over. */
    private OpenSequence source;

    private int length;
    private boolean over;

    OpenSequence(SequenceOptions options, OpenSequence source, int length) {
      this.options = options;
      this.source = source;
      this.length = length;
    }

    @Override
    public int promptLength() {
      return options.promptLength();
    }

    @Override
    public int length() {
      return length;
    }

    @Override
    public void close() {
      over = true;
      open.remove(this);
      script.openSequences = open.size();
    }

    private int shift() {
      float shift = 1;
      for (SteeringSite site : options.steering()) {
        shift += site.multiplier() * ((Vector) site.vector()).values[0];
      }
      return Math.round(shift);
    }
  }

  private final class Vector implements PreparedVector {
    private final float[] values;

    Vector(float[] values) {
      this.values = values.clone();
    }

    @Override
    public int length() {
      return values.length;
    }

    @Override
    public double norm() {
      return 1;
    }

    @Override
    public void close() {
      vectors.remove(this);
      script.preparedVectors = vectors.size();
    }
  }

  @Override
  public ModelConfig config() {
    return new ModelConfig(
        "Scripted",
        LAYERS,
        script.hidden,
        1,
        1,
        script.hidden,
        script.hidden,
        VOCABULARY,
        CONTEXT,
        1e-5,
        new RopeConfig(10_000, null),
        false,
        Set.of(END));
  }

  @Override
  public Tokenizer tokenizer() {
    throw new UnsupportedOperationException("the worker reads the tokenizer itself");
  }

  @Override
  public String revision() {
    return "scripted-1";
  }

  @Override
  public DType dtype() {
    return DType.FLOAT32;
  }

  @Override
  public int maxContext() {
    return CONTEXT;
  }

  @Override
  public String device() {
    return "script";
  }

  @Override
  public List<RankInfo> ranks() {
    return List.of(
        new RankInfo(0, device(), 0, 1_000, 2_000), new RankInfo(1, device(), 0, 900, 2_000));
  }

  @Override
  public int freeKvTokens() {
    requireOwner();
    return script.capacity - reserved();
  }

  private int reserved() {
    return open.stream().mapToInt(one -> one.options.maxLength()).sum();
  }

  @Override
  public PreparedVector prepare(float[] values) {
    requireOwner();
    Vector vector = new Vector(values);
    vectors.add(vector);
    script.preparedVectors = vectors.size();
    return vector;
  }

  @Override
  public Sequence open(SequenceOptions options) {
    return open(options, null, 0);
  }

  @Override
  public Sequence fork(Sequence source, int length, SequenceOptions options) {
    return open(options, (OpenSequence) source, length);
  }

  private Sequence open(SequenceOptions options, OpenSequence source, int length) {
    requireOwner();
    if (reserved() + options.maxLength() > script.capacity) {
      throw new KvCapacityException("no room for " + options.maxLength() + " tokens");
    }
    OpenSequence sequence = new OpenSequence(options, source, length);
    open.add(sequence);
    script.openSequences = open.size();
    return sequence;
  }

  @Override
  public List<StepOutput> step(List<StepInput> inputs) {
    requireOwner();
    script.step(inputs);
    RuntimeException failure = script.nextFailure;
    if (failure != null) {
      script.nextFailure = null;
      throw failure;
    }
    if (script.stepNanos > 0) {
      LockSupport.parkNanos(script.stepNanos);
    }
    List<StepOutput> outputs = new ArrayList<>();
    for (StepInput input : inputs) {
      outputs.add(step(input));
    }
    return outputs;
  }

  private StepOutput step(StepInput input) {
    OpenSequence sequence = (OpenSequence) input.sequence();
    if (sequence.over || closed) {
      throw new IllegalStateException("closed");
    }
    if (sequence.source != null
        && (sequence.source.over || sequence.source.length < sequence.length)) {
      throw new IllegalStateException("the source does not hold " + sequence.length + " tokens");
    }
    sequence.source = null;
    int first = sequence.length;
    int[] ids = input.tokenIds();
    if (Arrays.stream(ids).anyMatch(id -> id == script.poisonToken)) {
      if (script.poisonKills) {
        Runtime.getRuntime().halt(139);
      }
      throw new IllegalStateException("token " + script.poisonToken + " breaks the engine");
    }
    sequence.length += ids.length;
    if (sequence.length > sequence.options.maxLength()) {
      throw new IllegalStateException("longer than reserved");
    }
    float[] logits = new float[0];
    HeadSummary summary = null;
    if (input.logits() != StepInput.Logits.NONE) {
      float[] own = new float[VOCABULARY];
      own[Math.floorMod(ids[ids.length - 1] + sequence.shift(), VOCABULARY)] = 10;
      summary = HeadSummary.of(own);
      logits = input.logits().leaveDevice() ? own : logits;
    }
    CapturePlan plan = sequence.options.capture();
    List<Integer> positions = new ArrayList<>();
    for (int position = first; position < sequence.length; position++) {
      if (plan.positions().selects(position, sequence.promptLength())) {
        positions.add(position);
      }
    }
    List<CapturedRows> rows = new ArrayList<>();
    for (HookPoint hookPoint : plan.hookPoints()) {
      rows.add(rows(hookPoint, plan.layers(), positions));
    }
    CapturedRows finalRows =
        plan.finalRow() ? rows(HookPoint.RESIDUAL_POST, List.of(LAYERS - 1), positions) : null;
    return new StepOutput(sequence, logits, summary, rows, finalRows);
  }

  private CapturedRows rows(HookPoint hookPoint, List<Integer> layers, List<Integer> positions) {
    ByteBuffer payload =
        ByteBuffer.allocate(layers.size() * positions.size() * script.hidden * Float.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int layer : layers) {
      for (int position : positions) {
        for (int i = 0; i < script.hidden; i++) {
          payload.putFloat(value(layer, position, hookPoint));
        }
      }
    }
    return new CapturedRows(
        hookPoint,
        layers.stream().mapToInt(Integer::intValue).toArray(),
        positions.stream().mapToInt(Integer::intValue).toArray(),
        DType.FLOAT32,
        script.hidden,
        payload.flip());
  }

  private void requireOwner() {
    if (Thread.currentThread() != owner) {
      throw new IllegalStateException("used by a second thread");
    }
  }

  @Override
  public void close() {
    requireOwner();
    closed = true;
    List.copyOf(open).forEach(OpenSequence::close);
    List.copyOf(vectors).forEach(Vector::close);
  }
}
