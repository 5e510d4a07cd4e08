package io.lensflow.bench.figure;

/**
 * A figure, what it is held to, and what it means.
 *
 * @param figure the figure
 * @param bound its limit and aim
 * @param says one or two sentences for a person: which limit binds and where the time goes
 */
public record Finding(Figure figure, Bound bound, String says) {}
