package io.lensflow.cli.steering;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.output.CountBar;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/**
 * A job that somebody waits for: shows how far it is, and cancels it when the waiting ends before
 * the job does. Closing may come from another thread.
 */
public final class FollowedJob implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(250);

  /** Longer than it takes another instance of the service to take over. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final SteeringApi api;
  private final String id;
  private final String what;
  private final String unit;
  private final CountBar bar = CountBar.withTimeLeftOnStandardError();
  private volatile boolean over;
  private boolean seen;
  private long shown;

  /**
   * @param job the job as the service answered
   * @param what what the bar says goes on
   * @param unit of what there is progress, in the plural
   */
  public FollowedJob(SteeringApi api, JsonNode job, String what, String unit) {
    this.api = api;
    this.id = job.path("id").asText();
    this.what = what;
    this.unit = unit;
  }

  /** Path of the job. */
  public static ApiPath path(String id) {
    return ApiPath.jobs().then(id);
  }

  /**
   * Waits until the job has succeeded.
   *
   * @return the job with its result
   * @throws CommandFailure if it failed, or somebody cancelled it, or the service does not answer
   *     for a minute
   */
  public JsonNode await() throws InterruptedException {
    try (bar) {
      while (true) {
        JsonNode job = look();
        String state = job.path("state").asText();
        show(job.path("done").asLong(), job.path("total").asLong());
        switch (state) {
          case "SUCCEEDED" -> {
            over = true;
            return job;
          }
          case "FAILED" -> {
            over = true;
            throw new CommandFailure(job.path("failure").path("message").asText());
          }
          case "CANCELLED" -> {
            over = true;
            throw new CommandFailure("the job %s was cancelled".formatted(id));
          }
          default -> Thread.sleep(POLL.toMillis());
        }
      }
    }
  }

  /** What is complete is shown once, however long its end takes. */
  private void show(long done, long total) {
    if (total > 0 && (done < total || shown < total)) {
      bar.update(what, done, total, unit);
      shown = done;
    }
  }

  /**
   * An instance that goes away for a moment is no reason to give up: another goes on. Nor is one
   * that does not know the job yet, because another took it on.
   */
  private JsonNode look() throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      boolean patient = System.nanoTime() < deadline;
      try {
        if (seen || !patient) {
          return api.get(path(id));
        }
        Optional<JsonNode> job = api.find(path(id));
        if (job.isPresent()) {
          seen = true;
          return job.get();
        }
      } catch (CommandFailure e) {
        if (!(e.getCause() instanceof IOException) || !patient) {
          over = true;
          throw e;
        }
      }
      Thread.sleep(POLL.toMillis());
    }
  }

  /** Cancels the job unless it is over. */
  @Override
  public void close() {
    if (over) {
      return;
    }
    over = true;
    api.post(path(id).then("cancel"), "");
    bar.say("cancelled the job " + id);
  }
}
