package io.lensflow.decoder.fit;

import io.lensflow.engine.lens.TranslatorInfo;
import io.lensflow.engine.lens.fit.LayerReport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What came of a fit.
 *
 * @param file the translator
 * @param info what the file says about it
 * @param trainingRows positions that it was learned from, at the layer that has fewest
 * @param trainingRequests requests that these come from
 * @param heldOutRows positions that the report measures on, at the layer that has fewest
 * @param heldOutRequests requests that these come from
 * @param unigramRows positions of the training text whose distributions make the unigram lens
 * @param reports by rising layer; empty if no request was held out
 * @param counts what was left out
 * @param reading time spent on reading rows and summing
 * @param solving time spent on solving and writing
 * @param measuring time spent on the report
 */
public record FitOutcome(
    Path file,
    TranslatorInfo info,
    long trainingRows,
    int trainingRequests,
    long heldOutRows,
    int heldOutRequests,
    long unigramRows,
    List<LayerReport> reports,
    FitCounts counts,
    Duration reading,
    Duration solving,
    Duration measuring) {}
