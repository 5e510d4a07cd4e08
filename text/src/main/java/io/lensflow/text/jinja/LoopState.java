package io.lensflow.text.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * The variable {@code loop}. It reads one item ahead only when asked, as Jinja's does, so that a
 * loop's filter runs when Jinja runs it. For one thread.
 */
final class LoopState implements Attributes, Callable {
  private static final Object NOTHING = new Object();

  private final Callable recurse;
  private final int depth;
  private Iterator<Object> rest;
  private Object current = NOTHING;
  private Object previous = NOTHING;
  private Object ahead = NOTHING;
  private Object lastChange = NOTHING;
  private int index0 = -1;
  private int length;

  /**
   * @param length of the items, or -1 where only reading them tells
   * @param depth from 0
   * @param recurse what {@code loop(items)} does; null where the loop is not recursive
   */
  LoopState(Iterator<Object> items, int length, int depth, Callable recurse) {
    this.rest = items;
    this.length = length;
    this.depth = depth;
    this.recurse = recurse;
  }

  /** Goes to the next item; false at the end. */
  boolean next() {
    Object item = peek();
    if (item == NOTHING) {
      return false;
    }
    ahead = NOTHING;
    previous = current;
    current = item;
    index0++;
    return true;
  }

  Object item() {
    return current;
  }

  int depth() {
    return depth;
  }

  private Object peek() {
    if (ahead == NOTHING && rest.hasNext()) {
      ahead = rest.next();
    }
    return ahead;
  }

  int length() {
    if (length < 0) {
      List<Object> left = new ArrayList<>();
      rest.forEachRemaining(left::add);
      rest = left.iterator();
      length = left.size() + index0 + 1 + (ahead == NOTHING ? 0 : 1);
    }
    return length;
  }

  @Override
  public Object attribute(String name) {
    return switch (name) {
      case "index" -> index0 + 1L;
      case "index0" -> (long) index0;
      case "revindex" -> (long) length() - index0;
      case "revindex0" -> (long) length() - index0 - 1;
      case "first" -> index0 == 0;
      case "last" -> peek() == NOTHING;
      case "length" -> (long) length();
      case "depth" -> depth + 1L;
      case "depth0" -> (long) depth;
      case "previtem" ->
          previous == NOTHING ? new Undefined("there is no previous item") : previous;
      case "nextitem" -> peek() == NOTHING ? new Undefined("there is no next item") : peek();
      case "cycle" -> (Callable) this::cycle;
      case "changed" -> (Callable) this::changed;
      default -> Undefined.attribute(this, name);
    };
  }

  private Object cycle(Arguments arguments) {
    List<Object> values = arguments.positional();
    if (values.isEmpty()) {
      throw new JinjaException("no items for cycling given");
    }
    return values.get(index0 % values.size());
  }

  private Object changed(Arguments arguments) {
    List<Object> values = new ArrayList<>(arguments.positional());
    boolean changed = lastChange == NOTHING || !Operators.equal(lastChange, values);
    lastChange = values;
    return changed;
  }

  @Override
  public Object call(Arguments arguments) {
    if (recurse == null) {
      throw new JinjaException(
          "The loop must have the 'recursive' marker to be called recursively.");
    }
    return recurse.call(arguments);
  }
}
