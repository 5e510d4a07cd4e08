package io.lensflow.text.jinja;

/** A value that can be called: a function, a bound method, a macro. */
@FunctionalInterface
interface Callable {
  Object call(Arguments arguments);
}
