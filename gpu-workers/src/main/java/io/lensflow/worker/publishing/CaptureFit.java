package io.lensflow.worker.publishing;

import static io.lensflow.worker.request.InvalidRequestException.INVALID_REQUEST;

import io.lensflow.engine.DType;
import io.lensflow.text.spec.PositionSpec;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.request.CaptureSpec;
import io.lensflow.worker.request.GenerationRequest;
import io.lensflow.worker.request.InvalidRequestException;
import java.util.stream.IntStream;

/**
 * Refuses captures for which there can never be room, before anything runs: each limit by the
 * setting that moves it. Immutable and thread-safe.
 *
 * @param engine the model's shape
 * @param limits sizes on the rows' way
 */
public record CaptureFit(EngineInfo engine, Limits limits) {
  /**
   * Sizes on the rows' way, in its order, in bytes.
   *
   * @param staging memory for the rows of a pass on their way off the device
   * @param buffer rows that may wait for the broker
   * @param positionsAtOnce positions of one sequence that a step takes at the least
   * @param record a record of {@code activations}
   * @param partition what a partition of {@code activations} keeps
   */
  public record Limits(
      long staging, long buffer, int positionsAtOnce, long record, long partition) {}

  /**
   * Checks a request.
   *
   * @throws InvalidRequestException naming the field, what it needs and what there is
   */
  public void check(GenerationRequest request) throws InvalidRequestException {
    CaptureSpec capture = request.capture();
    if (capture.isEmpty()) {
      return;
    }
    int hidden = engine.config().hiddenSize();
    DType compute = engine.dtype();
    long rows = (long) capture.plan().hookPoints().size() * capture.plan().layers().size();
    rows += capture.plan().finalRow() ? 1 : 0;
    long staged = rows * hidden * compute.bytes();
    require(
        staged <= limits.staging(),
        "capture.layers",
        "one position of this capture takes %d bytes on its way off the device, and there is room for %d: capture fewer layers or hook points, or raise lensflow.worker.engine.staging-bytes",
        staged,
        limits.staging());
    int atOnce = Math.min(limits.positionsAtOnce(), request.promptLength());
    long buffered = capture.bytesPerPosition(hidden, compute) * atOnce;
    require(
        buffered <= limits.buffer(),
        "capture.layers",
        "%d positions of this capture, which are taken at once, take %d bytes, and %d may wait for the broker: capture fewer layers or hook points, or raise lensflow.worker.publisher.buffer-bytes",
        atOnce,
        buffered,
        limits.buffer());
    long record = ChunkAssembler.leastRecordBytes(request, hidden);
    require(
        record <= limits.record(),
        "capture.hookPoints",
        "a single row with the request's labels and lenses takes a record of %d bytes, and records hold %d: shorten these, or raise lensflow.worker.publisher.max-record-bytes and the topic's max.message.bytes",
        record,
        limits.record());
    long all = rows * hidden * capture.rowDtype().bytes() * positions(request);
    require(
        all <= limits.partition(),
        "capture.positions",
        "this request captures up to %d bytes, and its partition of activations keeps %d: capture fewer positions, layers or hook points, or raise the topic's retention.bytes",
        all,
        limits.partition());
  }

  /** Positions that are captured, if the request comes to its full length. */
  private static long positions(GenerationRequest request) {
    PositionSpec spec = request.capture().plan().positions();
    return IntStream.range(0, request.maxLength())
        .filter(position -> spec.selects(position, request.promptLength()))
        .count();
  }

  private static void require(boolean fits, String field, String message, Object... arguments)
      throws InvalidRequestException {
    if (!fits) {
      throw new InvalidRequestException(INVALID_REQUEST, field, message.formatted(arguments));
    }
  }
}
