package io.lensflow.worker.scheduling;

import io.lensflow.engine.generation.Sampler;
import io.lensflow.engine.generation.SamplingOptions;
import io.lensflow.records.Sampling;
import io.lensflow.worker.request.GenerationRequest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Makes the sampler of a request. Stateless. */
final class Samplers {
  private Samplers() {}

  static Sampler of(GenerationRequest request) {
    Sampling s = request.source().getSampling();
    long seed = s.getSeed() == null ? seedOf(request.requestId()) : s.getSeed();
    return Sampler.of(
        new SamplingOptions(
            s.getTemperature(),
            s.getTopP(),
            s.getTopK(),
            s.getMinP(),
            s.getRepetitionPenalty(),
            seed),
        request.promptIds());
  }

  /** First 8 bytes of the id's SHA-256: every attempt at a request draws the same numbers. */
  static long seedOf(String requestId) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(requestId.getBytes(StandardCharsets.UTF_8));
      return ByteBuffer.wrap(hash).getLong();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
