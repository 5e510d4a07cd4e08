package io.lensflow.bench.classical;

import io.lensflow.bench.process.ProcessMemory;
import io.lensflow.bench.workload.CaptureSink;
import io.lensflow.bench.workload.Decoding;
import io.lensflow.bench.workload.Prompts;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.torch.TensorKernels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * A process of its own that generates in one way and says how much memory that took, for {@link
 * ClassicalMemory}. Prints {@code resident BYTES} when the model is loaded, then {@code NEW_TOKENS
 * BYTES} with the peak since.
 */
final class MemoryProbe implements AutoCloseable {
  private static final int TOP_K = 5;
  private static final int LEAST_TOKENS = 1;

  /** The ways. */
  enum Way {
    /** Generates nothing: what the process holds anyway. */
    IDLE,
    CLASSICAL,
    SYSTEM
  }

  private final int promptTokens;
  private final List<Integer> marks;
  private final Engine engine;
  private final LensHead head;
  private final TensorKernels tensors = new TensorKernels();

  private MemoryProbe(Path model, int promptTokens, List<Integer> marks, int kvTokens)
      throws IOException {
    this.promptTokens = promptTokens;
    this.marks = marks;
    this.engine = EngineLoader.load(model, EngineOptions.defaults().withKvTokens(kvTokens));
    this.head = LensHead.load(model, LensHeadOptions.defaults());
  }

  /** Arguments: way, model, prompt tokens, counts of new tokens, ascending. */
  public static void main(String[] arguments) throws Exception {
    Way way = Way.valueOf(arguments[0]);
    int promptTokens = Integer.parseInt(arguments[2]);
    List<Integer> marks =
        Arrays.stream(arguments, 3, arguments.length).map(Integer::valueOf).toList();
    int tokens = promptTokens + marks.get(marks.size() - 1);
    try (MemoryProbe probe =
        new MemoryProbe(
            Path.of(arguments[1]), promptTokens, marks, way == Way.IDLE ? LEAST_TOKENS : tokens)) {
      probe.run(way);
    }
  }

  private void run(Way way) throws IOException {
    System.gc(); // what loading left
    ProcessMemory.resetPeak();
    System.out.println("resident " + ProcessMemory.resident());
    if (way == Way.CLASSICAL) {
      classical(new ClassicalLoop(engine, head, TOP_K));
    } else if (way == Way.SYSTEM) {
      system();
    }
  }

  private int[] ids(int tokens) {
    return Prompts.ids(tokens, 1, engine.config().vocabularySize());
  }

  /**
   * Every step's hidden states are kept, outside of the heap. The lens runs at the marks only: it
   * holds nothing from one step to the next.
   */
  private void classical(ClassicalLoop loop) throws IOException {
    int last = marks.get(marks.size() - 1);
    int[] ids = ids(promptTokens + last);
    // Buffers that grow with the sequence are made once, at their largest: left to grow between the
    // kept states they would leave holes, and the loop would look worse than it is.
    loop.forward(ids);
    try (KeptStates kept = new KeptStates(tensors)) {
      for (int token = 1; token <= last; token++) {
        CapturedRows states = loop.forward(Arrays.copyOf(ids, promptTokens + token - 1));
        kept.add(states.payload());
        if (marks.contains(token)) {
          loop.lens(states);
          System.out.println(token + " " + ProcessMemory.peak());
        }
      }
    }
  }

  private void system() throws IOException {
    DeferredLens lens =
        new DeferredLens(
            head, TOP_K, LensHeadOptions.defaults().rowBlock(), DeferredLens.Listener.NONE);
    int last = marks.get(marks.size() - 1);
    try (Decoding decoding =
        new Decoding(
            engine, List.of(ids(promptTokens)), last - 1, CaptureSink.everyLayer(engine), lens)) {
      decoding.prefill();
      for (int token = 2; token <= last; token++) {
        decoding.steps(1);
        if (marks.contains(token)) {
          lens.flush();
          System.out.println(token + " " + ProcessMemory.peak());
        }
      }
    }
  }

  @Override
  public void close() {
    tensors.close();
    head.close();
    engine.close();
  }
}
