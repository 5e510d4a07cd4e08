package io.lensflow.text.jinja;

import java.util.LinkedHashMap;
import java.util.Map;

/** Jinja's {@code namespace(…)}: the one thing that templates may write to. For one thread. */
final class Namespace implements Attributes {
  private final Map<String, Object> values = new LinkedHashMap<>();

  @Override
  public Object attribute(String name) {
    Object value = values.get(name);
    return value == null && !values.containsKey(name) ? Undefined.attribute(this, name) : value;
  }

  void set(String name, Object value) {
    if (name.startsWith("_")) {
      // transformers' own rule.
      throw new JinjaException(
          "a namespace cannot hold '%s': underscore-prefixed attributes are refused"
              .formatted(name));
    }
    values.put(name, value);
  }
}
