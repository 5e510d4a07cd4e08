package io.lensflow.worker.request;

import static io.lensflow.worker.request.InvalidRequestException.INVALID_REQUEST;

import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.NormScale;
import io.lensflow.schemas.lens.ServedLenses;
import io.lensflow.text.Tokenizer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Checks the lenses of a request against the model, and turns targets that are given as text into
 * token ids, so that the decoder needs no tokenizer for them. Immutable and thread-safe.
 */
final class LensValidator {
  private final int vocabularySize;
  private final Tokenizer tokenizer;

  /**
   * @param vocabularySize V
   * @param tokenizer the model's tokenizer
   */
  LensValidator(int vocabularySize, Tokenizer tokenizer) {
    this.vocabularySize = vocabularySize;
    this.tokenizer = tokenizer;
  }

  /**
   * The lenses as chunks carry them: all targets are ids.
   *
   * @throws InvalidRequestException naming the first field that is wrong
   */
  List<LensRequest> resolve(List<LensRequest> lenses) throws InvalidRequestException {
    Set<String> names = new HashSet<>();
    List<LensRequest> resolved = new ArrayList<>(lenses.size());
    for (int i = 0; i < lenses.size(); i++) {
      LensRequest lens = lenses.get(i);
      String at = "lenses[" + i + "].";
      if (!names.add(lens.getName())) {
        throw invalid(at + "name", "lens '%s' is listed twice".formatted(lens.getName()));
      }
      Optional<ServedLenses.Refusal> refusal = ServedLenses.refusal(lens, vocabularySize);
      if (refusal.isPresent()) {
        throw invalid(at + refusal.get().field(), refusal.get().message());
      }
      resolved.add(resolve(lens, at));
    }
    return List.copyOf(resolved);
  }

  private LensRequest resolve(LensRequest lens, String at) throws InvalidRequestException {
    if (lens.getTargetTexts().isEmpty()) {
      return lens;
    }
    List<Integer> ids = new ArrayList<>(lens.getTargetIds());
    for (int i = 0; i < lens.getTargetTexts().size(); i++) {
      ids.add(token(lens.getTargetTexts().get(i), at + "targetTexts[" + i + "]"));
    }
    return LensRequest.newBuilder(lens).setTargetIds(ids).setTargetTexts(List.of()).build();
  }

  private int token(String text, String field) throws InvalidRequestException {
    int[] ids = tokenizer.encodeRendered(text);
    if (ids.length != 1) {
      throw invalid(
          field,
          "'%s' is %d tokens of this model; a target is one (mind the leading space: ' Paris')"
              .formatted(text, ids.length));
    }
    return ids[0];
  }

  /**
   * Whether what is asked of a row needs the model's own last row beside it: its distribution for
   * KL and JS, its scale for a frozen norm.
   */
  static boolean needsFinalRow(LensRequest lens) {
    return lens.getMetrics().contains(LensMetric.KL)
        || lens.getMetrics().contains(LensMetric.JS)
        || lens.getNormScale() == NormScale.FINAL;
  }

  private static InvalidRequestException invalid(String field, String message) {
    return new InvalidRequestException(INVALID_REQUEST, field, message);
  }
}
