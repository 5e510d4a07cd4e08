package io.lensflow.steering.http;

import java.util.List;

/** What a combination sends: a weighted sum, and what it shall be orthogonal to. */
record CombineBody(
    List<Term> terms,
    List<Term> orthogonalTo,
    String author,
    String description,
    Integer expectedVersion) {
  /**
   * A version of a vector of the same model.
   *
   * @param version null uses the alias
   * @param alias null with a null version means {@code latest}
   * @param weight null means 1; without meaning in {@code orthogonalTo}
   */
  record Term(String name, Integer version, String alias, Double weight) {}
}
