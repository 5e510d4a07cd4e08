package io.lensflow.worker.request;

import io.lensflow.worker.steering.PinnedSteering;

/**
 * One attempt at one request under pinned steering: the unit of scheduling and of publishing.
 * Immutable.
 *
 * @param request the request
 * @param attempt the attempt
 * @param steering versions pinned at admission; released by the intake when the request has ended
 * @param last whether no further attempt is allowed: such a run gets the device for itself, so that
 *     a request which breaks the engine does not use up the attempts of its neighbours
 * @param lane the lane that it came through
 */
public record Run(
    GenerationRequest request, Attempt attempt, PinnedSteering steering, boolean last, Lane lane) {
  public String requestId() {
    return request.requestId();
  }

  public String attemptId() {
    return attempt.id();
  }
}
