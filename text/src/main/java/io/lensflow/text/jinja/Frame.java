package io.lensflow.text.jinja;

import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Where a part of a template runs: its names, its output and the run's limits. A name set here
 * hides the same name outside and is forgotten with the frame. For one thread.
 */
final class Frame {
  /** Loops, macros and statements that one rendering may run through. */
  private static final int MAX_STEPS = 5_000_000;

  private static final int MAX_DEPTH = 200;

  /** What all frames of one rendering share. */
  private static final class Run {
    private final Clock clock;
    private int depth;
    private int steps;
    private int line = 1;

    Run(Clock clock) {
      this.clock = clock;
    }
  }

  private static final Object MISSING = new Object();

  private final Frame parent;
  private final Run run;
  private final StringBuilder out;
  private Map<String, Object> names;

  private Frame(Frame parent, Run run, StringBuilder out) {
    this.parent = parent;
    this.run = run;
    this.out = out;
  }

  /** The outermost frame of a rendering. */
  static Frame root(Map<String, Object> variables, Clock clock) {
    Frame frame = new Frame(null, new Run(clock), new StringBuilder());
    frame.names = new HashMap<>(variables);
    return frame;
  }

  /** A frame inside this one, with the same output. */
  Frame inner() {
    return new Frame(this, run, out);
  }

  /** A frame inside this one, with an output of its own. */
  Frame capturing() {
    return new Frame(this, run, new StringBuilder());
  }

  /** What statements write in a frame of their own, called by a macro or a recursive loop. */
  String call(UnaryOperator<Frame> body) {
    if (++run.depth > MAX_DEPTH) {
      throw new JinjaException("macros and loops call each other deeper than " + MAX_DEPTH);
    }
    String text = body.apply(capturing()).output();
    run.depth--;
    return text;
  }

  Object lookup(String name) {
    for (Frame frame = this; frame != null; frame = frame.parent) {
      Object value = frame.names == null ? MISSING : frame.names.getOrDefault(name, MISSING);
      if (value != MISSING) {
        return value;
      }
    }
    return Globals.named(name, run.clock);
  }

  void set(String name, Object value) {
    if (names == null) {
      names = new HashMap<>();
    }
    names.put(name, value);
  }

  void write(String text) {
    if (out.length() + text.length() > Operators.MAX_SIZE) {
      throw new JinjaException("the text is longer than %d".formatted(Operators.MAX_SIZE));
    }
    out.append(text);
  }

  String output() {
    return out.toString();
  }

  /** Notes where the template is, and that it goes on. */
  void step(int line) {
    run.line = line;
    if (++run.steps > MAX_STEPS) {
      throw new JinjaException("the template runs for more than %d steps".formatted(MAX_STEPS));
    }
  }

  /** Line of the statement that ran last. */
  int line() {
    return run.line;
  }
}
