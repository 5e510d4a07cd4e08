package io.lensflow.ingest.submit;

import io.lensflow.client.ServedModel;
import io.lensflow.client.json.InvalidRequestException;
import io.lensflow.records.LensRequest;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.SteeringRequest;
import io.lensflow.schemas.lens.ServedLenses;
import io.lensflow.service.ApiException;
import io.lensflow.text.spec.LayerSpec;
import io.lensflow.text.spec.PositionSpec;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Finds the model of a request among those that live workers serve, and checks what depends on it:
 * layers, token ids, context. What only a tokenizer or a worker can know is left to the worker.
 * Stateless and thread-safe.
 */
public final class ModelCheck {
  /** Stands in for L where no model is known; no model has as many. */
  private static final int ANY_LAYERS = 1000;

  private ModelCheck() {}

  /**
   * The model that will serve a request.
   *
   * @param model as the request names it; empty stands for the only one that is served
   * @param served models with a live worker
   * @return empty if no live worker serves it
   * @throws ApiException if the name is empty and several models are served
   */
  public static Optional<ServedModel> find(String model, Collection<ServedModel> served) {
    if (!model.isEmpty()) {
      return served.stream().filter(candidate -> candidate.name().equals(model)).findFirst();
    }
    if (served.size() > 1) {
      throw new ApiException(
          400,
          "INVALID_REQUEST",
          "model is missing and several are served; name one of " + names(served),
          "model");
    }
    return served.stream().findFirst();
  }

  /** What to answer where no live worker serves the model. */
  public static ApiException notServed(String model, Collection<ServedModel> served) {
    return served.isEmpty()
        ? new ApiException(
            503,
            "NO_LIVE_WORKER",
            "no worker is live, so that nothing can be served now; start one, or try again",
            null)
        : new ApiException(
            404,
            "MODEL_NOT_FOUND",
            "no live worker serves the model '%s'; served now: %s".formatted(model, names(served)),
            "model");
  }

  /**
   * Checks layers, positions, token ids and context.
   *
   * @param model null where no live worker serves it: then only spelling can be checked
   * @throws InvalidRequestException naming the field
   */
  public static void check(PromptRequest request, ServedModel model) {
    layers("capture.layers", request.getCapture().getLayers(), model);
    positions("capture.positions", request.getCapture().getPositions());
    List<SteeringRequest> steering = request.getSteering();
    for (int i = 0; i < steering.size(); i++) {
      layers("steering[%d].layers".formatted(i), steering.get(i).getLayers(), model);
      positions("steering[%d].positions".formatted(i), steering.get(i).getPositions());
    }
    List<LensRequest> lenses = request.getLenses();
    int vocabulary =
        model == null || model.vocabularySize() <= 0 ? Integer.MAX_VALUE : model.vocabularySize();
    for (int i = 0; i < lenses.size(); i++) {
      String field = "lenses[%d].".formatted(i);
      ServedLenses.refusal(lenses.get(i), vocabulary)
          .ifPresent(
              refusal -> {
                throw new InvalidRequestException(
                    field + refusal.field(), field + refusal.field() + ": " + refusal.message());
              });
    }
    if (model == null) {
      return;
    }
    prompt(request, model);
    revision(request, model);
  }

  private static void prompt(PromptRequest request, ServedModel model) {
    List<Integer> tokenIds = request.getPrompt().getTokenIds();
    if (tokenIds == null) {
      return;
    }
    tokens("prompt.tokenIds", tokenIds, model);
    int room = model.maxContext() - (request.getMaxNewTokens() > 0 ? 1 : 0);
    if (model.maxContext() > 0 && tokenIds.size() > room) {
      throw new InvalidRequestException(
          "prompt.tokenIds",
          "prompt.tokenIds has %d tokens; the context of '%s' has %d, so that at most %d fit"
              .formatted(tokenIds.size(), model.name(), model.maxContext(), room));
    }
  }

  private static void revision(PromptRequest request, ServedModel model) {
    String revision = request.getRevision();
    if (revision != null
        && model.workers().stream().noneMatch(w -> w.getRevision().equals(revision))) {
      throw new InvalidRequestException(
          "revision",
          "no live worker serves revision '%s' of '%s'; served now: %s"
              .formatted(
                  revision,
                  model.name(),
                  model.workers().stream()
                      .map(worker -> worker.getRevision())
                      .distinct()
                      .collect(Collectors.joining(", "))));
    }
  }

  private static void layers(String field, String spec, ServedModel model) {
    if (spec == null) {
      return;
    }
    try {
      LayerSpec.resolve(spec, model == null || model.layers() <= 0 ? ANY_LAYERS : model.layers());
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(field, field + ": " + e.getMessage());
    }
  }

  private static void positions(String field, String spec) {
    if (spec == null) {
      return;
    }
    try {
      PositionSpec.parse(spec);
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(field, field + ": " + e.getMessage());
    }
  }

  private static void tokens(String field, List<Integer> ids, ServedModel model) {
    for (int i = 0; i < ids.size() && model.vocabularySize() > 0; i++) {
      if (ids.get(i) >= model.vocabularySize()) {
        throw new InvalidRequestException(
            "%s[%d]".formatted(field, i),
            "%s[%d] is %d; the vocabulary of '%s' has ids 0 … %d"
                .formatted(field, i, ids.get(i), model.name(), model.vocabularySize() - 1));
      }
    }
  }

  private static String names(Collection<ServedModel> served) {
    return served.stream().map(ServedModel::name).collect(Collectors.joining(", "));
  }
}
