package io.lensflow.hub;

import java.util.Set;

/**
 * What the hub says about a revision. Immutable.
 *
 * @param commit the commit that it is
 * @param files names of all files of it, with {@code /} between folders
 */
record ModelListing(String commit, Set<String> files) {
  ModelListing {
    files = Set.copyOf(files);
  }
}
