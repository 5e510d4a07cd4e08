package io.lensflow.steering.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.steering.vector.Change;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * What came of a job. A change that it makes is written in the transaction that ends the job, so
 * that a vector is published once, whoever takes the job over.
 *
 * @param change plans the change, under the writer's lock and with the books up to date, as {@code
 *     Writer.write} asks for it; empty for none
 * @param json the result, given the change that is about to be written; null where there is none
 */
public record JobResult(Optional<Supplier<Change>> change, Function<Change, JsonNode> json) {
  /** A result that changes nothing. */
  public static JobResult of(JsonNode json) {
    return new JobResult(Optional.empty(), none -> json);
  }

  /** A result that changes vectors. */
  public static JobResult publishing(Supplier<Change> change, Function<Change, JsonNode> json) {
    return new JobResult(Optional.of(change), json);
  }
}
