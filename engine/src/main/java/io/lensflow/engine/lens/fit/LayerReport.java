package io.lensflow.engine.lens.fit;

/**
 * What the lenses are worth at one layer, over rows that none of them was learned from.
 *
 * @param layer the layer
 * @param rows held-out rows
 * @param plain the logit lens, without translator
 * @param fitted the translator
 * @param biasOnly h + the mean of y − x: the translator without its matrix
 * @param unigram the lens that says the same of every row
 */
public record LayerReport(
    int layer,
    long rows,
    LensScore plain,
    LensScore fitted,
    LensScore biasOnly,
    LensScore unigram) {}
