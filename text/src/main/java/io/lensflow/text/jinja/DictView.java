package io.lensflow.text.jinja;

import java.util.AbstractCollection;
import java.util.Iterator;
import java.util.List;

/**
 * What {@code keys()}, {@code values()} and {@code items()} of a dict give: it has a length and
 * iterates, but has no items by index.
 */
final class DictView extends AbstractCollection<Object> {
  private final String name;
  private final List<Object> items;

  /**
   * @param name such as {@code dict_items}
   */
  DictView(String name, List<Object> items) {
    this.name = name;
    this.items = items;
  }

  String name() {
    return name;
  }

  List<Object> items() {
    return items;
  }

  @Override
  public Iterator<Object> iterator() {
    return items.iterator();
  }

  @Override
  public int size() {
    return items.size();
  }
}
