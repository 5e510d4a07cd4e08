package io.lensflow.engine;

import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.steering.PreparedVector;
import io.lensflow.text.Tokenizer;
import java.util.List;

/**
 * One replica of a model: weights on their device, a pool of keys and values, and a step that moves
 * any number of sequences on at once.
 *
 * <p>Not thread-safe: {@link #open}, {@link #fork}, {@link #step}, {@link #prepare} and {@link
 * #close} are called by one thread at a time, and kernels run best when it is always the same one.
 * {@link #config}, {@link #tokenizer} and the other descriptions may be read by any thread.
 */
public interface Engine extends AutoCloseable {
  /** The checkpoint's shape. */
  ModelConfig config();

  /** The checkpoint's tokenizer; thread-safe. */
  Tokenizer tokenizer();

  /** Revision of the checkpoint: a hash over its configuration and its safetensors headers. */
  String revision();

  /** The dtype of weights and activations. */
  DType dtype();

  /** Most tokens of one sequence, prompt and output together. */
  int maxContext();

  /** The device, such as {@code cpu}. */
  String device();

  /** What each tensor-parallel rank holds, in order; R of them. */
  List<RankInfo> ranks();

  /**
   * Tokens for which the pool of keys and values has room now: all that it holds while no sequence
   * is open. To be asked by the thread that steps.
   */
  int freeKvTokens();

  /** Puts a vector of D finite values on the device, in float32. */
  PreparedVector prepare(float[] values);

  /**
   * Opens a sequence and reserves its keys and values.
   *
   * @throws IllegalArgumentException if the options do not fit the model; names the option
   * @throws KvCapacityException if the pool has no room now; nothing was reserved
   */
  Sequence open(SequenceOptions options);

  /**
   * Opens a sequence that begins with the same tokens as another: their keys and values are copied
   * in its first step, and not computed again. Rows that follow are those of a sequence of its own,
   * within rounding.
   *
   * @param source has consumed these tokens when the sequence is first stepped, or does so in the
   *     same step by an input that stands before; may be closed and opened sequences may take its
   *     room from then on
   * @param length how many tokens are the same, 1 … P−1; the sequence's first input begins there
   * @param options what it needs; nothing may be captured in the prefix, and what is steered there
   *     is steered alike in the source
   * @throws IllegalArgumentException if the options do not fit the model or the source, or the
   *     engine is deterministic: rows would depend on whether there is a source
   * @throws KvCapacityException if the pool has no room now; nothing was reserved
   */
  Sequence fork(Sequence source, int length, SequenceOptions options);

  /**
   * Consumes the new tokens of every input, in one pass if staging memory allows it and the engine
   * is not deterministic.
   *
   * @return one output per input, in order
   * @throws IllegalArgumentException if an input is empty, too long, or holds an id outside 0 … V−1
   * @throws IllegalStateException if a sequence or the engine is closed, or a rank failed before;
   *     or if a sequence's source is closed or has not consumed what both begin with
   */
  List<StepOutput> step(List<StepInput> inputs);

  /**
   * Frees all native memory. Closing twice is harmless; opening, stepping, preparing and tokenizing
   * afterwards throw, while what only describes the engine stays readable.
   */
  @Override
  void close();
}
