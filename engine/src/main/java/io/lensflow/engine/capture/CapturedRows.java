package io.lensflow.engine.capture;

import io.lensflow.engine.DType;
import java.nio.ByteBuffer;

/**
 * Rows of one sequence at one hook point, copied off the device by one step. The buffer belongs to
 * the receiver: the engine never writes it again.
 *
 * @param hookPoint where the rows were taken
 * @param layers layers in payload order
 * @param positions absolute positions in payload order
 * @param dtype element type of the payload
 * @param hiddenSize D
 * @param payload [layers, positions, D], little-endian, row-major
 */
public record CapturedRows(
    HookPoint hookPoint,
    int[] layers,
    int[] positions,
    DType dtype,
    int hiddenSize,
    ByteBuffer payload) {}
