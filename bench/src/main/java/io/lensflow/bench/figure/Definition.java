package io.lensflow.bench.figure;

/**
 * What a figure will be, before it is measured.
 *
 * @param name its stable name
 * @param meaning what is divided by what, in a few words
 * @param bound its limit and aim
 */
public record Definition(String name, String meaning, Bound bound) {}
