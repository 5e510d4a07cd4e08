package io.lensflow.text.jinja;

/** A value with attributes of its own, such as {@code loop}. */
interface Attributes {
  /** The attribute's value, or an {@link Undefined} where there is none. */
  Object attribute(String name);
}
