package io.lensflow.steering.vector;

import java.util.List;
import java.util.function.Function;

/**
 * Every change of vectors, as people and programs ask for it: checks what was asked, looks at what
 * is there, and says what is to be written. Whoever calls it sees to it that the book is up to date
 * and that nobody else writes meanwhile. Thread-safe.
 */
public final class VectorChanges {
  private final VectorBook book;
  private final ChangePlanner planner;
  private final DraftCheck check;
  private final Function<String, List<ModelShape>> shapes;
  private final Function<VectorId, List<Reference>> references;

  /**
   * @param book what is there
   * @param planner decides what is written
   * @param check checks drafts
   * @param shapes shapes of the live workers of a model
   * @param references what refers to a vector from elsewhere
   */
  public VectorChanges(
      VectorBook book,
      ChangePlanner planner,
      DraftCheck check,
      Function<String, List<ModelShape>> shapes,
      Function<VectorId, List<Reference>> references) {
    this.book = book;
    this.planner = planner;
    this.check = check;
    this.shapes = shapes;
    this.references = references;
  }

  /** A new version; see {@link DraftCheck} and {@link ChangePlanner#publish}. */
  public Change publish(VectorId id, VectorDraft draft, Origin origin) {
    Names.checkFreeVector(id.name());
    return publishOfJob(id, draft, origin);
  }

  /** As {@link #publish}, under a name that may be kept for jobs. */
  public Change publishOfJob(VectorId id, VectorDraft draft, Origin origin) {
    Names.checkModel(id.model());
    Names.checkVector(id.name());
    book.modelOf(id)
        .filter(model -> !model.equals(id.model()))
        .ifPresent(
            model -> {
              throw RefusedException.modelNameTaken(id.model(), model);
            });
    List<String> warnings = check.check(draft, id.model(), shapes.apply(id.model()));
    return planner.publish(book.find(id), draft, origin).with(warnings);
  }

  /** Deletes a version; see {@link ChangePlanner#retire}. */
  public Change retire(VectorId id, int version, Origin origin) {
    return planner.retire(find(id).existing(), version, references.apply(id), origin);
  }

  /** Deletes all versions; see {@link ChangePlanner#retireAll}. */
  public Change retireAll(VectorId id, Integer expected, Origin origin) {
    return planner.retireAll(find(id), references.apply(id), expected, origin);
  }

  /**
   * Points an alias at a version; see {@link ChangePlanner#setAlias}. A job's vector takes none: it
   * could not be retired then.
   */
  public Change setAlias(VectorId id, String alias, int version, Integer expected, Origin origin) {
    Names.checkFreeVector(id.name());
    return planner.setAlias(find(id), alias, version, expected, origin);
  }

  /** Points an alias back; see {@link ChangePlanner#rollbackAlias}. */
  public Change rollbackAlias(VectorId id, String alias, Integer expected, Origin origin) {
    return planner.rollbackAlias(find(id).existing(), alias, expected, origin);
  }

  /** Removes an alias; see {@link ChangePlanner#deleteAlias}. */
  public Change deleteAlias(VectorId id, String alias, Integer expected, Origin origin) {
    return planner.deleteAlias(find(id), alias, references.apply(id), expected, origin);
  }

  private NamedVector find(VectorId id) {
    Names.checkModel(id.model());
    Names.checkVector(id.name());
    return book.find(id);
  }
}
