package io.lensflow.text.jinja;

/**
 * The value of a name, attribute or item that is not there, as Jinja's default {@code Undefined}:
 * it prints nothing, is false and iterates over nothing; every other use is an error that tells
 * what was missing.
 *
 * @param reason such as {@code 'x' is undefined}
 */
record Undefined(String reason) {
  static Undefined name(String name) {
    return new Undefined("'" + name + "' is undefined");
  }

  static Undefined attribute(Object owner, String name) {
    return new Undefined("'%s' has no attribute '%s'".formatted(kind(owner), name));
  }

  static Undefined item(Object owner, Object key) {
    return new Undefined("%s has no element %s".formatted(kind(owner), PythonText.repr(key)));
  }

  private static String kind(Object owner) {
    return owner == null ? "None" : Values.typeName(owner) + " object";
  }

  JinjaException error() {
    return new JinjaException(reason);
  }
}
