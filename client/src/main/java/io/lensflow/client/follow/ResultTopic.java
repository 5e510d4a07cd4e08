package io.lensflow.client.follow;

import io.lensflow.schemas.topics.TopicCatalogue;

/** The request-keyed topics that subscribers read. */
public enum ResultTopic {
  /** What happens to a request, token by token, and how it ends. */
  COMPLETIONS,
  /** What lenses say about its rows. */
  LENS_RESULTS,
  /** The raw rows. */
  ACTIVATIONS;

  /** The topic's name in a catalogue. */
  public String in(TopicCatalogue catalogue) {
    return switch (this) {
      case COMPLETIONS -> catalogue.completions();
      case LENS_RESULTS -> catalogue.lensResults();
      case ACTIVATIONS -> catalogue.activations();
    };
  }
}
