package io.lensflow.text.jinja;

import java.util.List;

/** What {@code set} and {@code for} assign to. */
sealed interface Target {
  void assign(Object value, Frame frame);

  record Variable(String name) implements Target {
    @Override
    public void assign(Object value, Frame frame) {
      frame.set(name, value);
    }
  }

  /** {@code namespace.attribute}. */
  record Member(String namespace, String attribute) implements Target {
    @Override
    public void assign(Object value, Frame frame) {
      if (!(frame.lookup(namespace) instanceof Namespace owner)) {
        throw new JinjaException("cannot assign attribute on non-namespace object");
      }
      owner.set(attribute, value);
    }
  }

  /** {@code a, b}: unpacks a sequence of as many items. */
  record Several(List<Target> targets) implements Target {
    @Override
    public void assign(Object value, Frame frame) {
      if (value instanceof Undefined undefined) {
        throw undefined.error();
      }
      List<Object> items = Values.list(value);
      if (items.size() != targets.size()) {
        throw new JinjaException(
            "%d values to unpack, but %d names".formatted(items.size(), targets.size()));
      }
      for (int i = 0; i < items.size(); i++) {
        targets.get(i).assign(items.get(i), frame);
      }
    }
  }
}
