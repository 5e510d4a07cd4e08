package io.lensflow.worker.request;

/** Which requests go first. */
public enum Lane {
  /** Somebody waits for the answer. */
  INTERACTIVE,

  /** May wait, such as the requests of builds and evaluations; never keeps others waiting long. */
  BATCH
}
