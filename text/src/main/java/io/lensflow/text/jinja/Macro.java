package io.lensflow.text.jinja;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A macro's definition.
 *
 * @param name {@code caller} for the body of a call block
 * @param parameters in order
 * @param defaults of the last parameters
 * @param body what it writes
 */
record Macro(
    String name, List<String> parameters, List<Expression> defaults, List<Statement> body, int line)
    implements Statement {
  private static final String CALLER = "caller";

  @Override
  public Flow execute(Frame frame) {
    frame.set(name, bind(frame));
    return Flow.NEXT;
  }

  /** The macro as a value that remembers where it was defined. */
  private Callable bind(Frame definition) {
    return arguments -> call(arguments, definition);
  }

  private String call(Arguments arguments, Frame definition) {
    return definition.call(frame -> run(arguments, frame));
  }

  private Frame run(Arguments arguments, Frame frame) {
    frame.step(line);
    Map<String, Object> named = new LinkedHashMap<>(arguments.named());
    Object caller = named.remove(CALLER);
    frame.set(CALLER, caller == null ? new Undefined("No caller defined") : caller);
    Arguments.Bound given =
        new Arguments(arguments.positional(), named)
            .bind("macro '" + name + "'", 0, parameters.toArray(String[]::new));
    for (int i = 0; i < parameters.size(); i++) {
      int fallback = i - (parameters.size() - defaults.size());
      Object value =
          given.has(i)
              ? given.get(i)
              : fallback >= 0
                  ? defaults.get(fallback).evaluate(frame)
                  : new Undefined("parameter '" + parameters.get(i) + "' was not provided");
      frame.set(parameters.get(i), value);
    }
    Statement.run(body, frame);
    return frame;
  }

  /** {@code call(parameters) macro(arguments)} … {@code endcall}. */
  record CallBlock(Expression.Call call, Macro body, int line) implements Statement {
    @Override
    public Flow execute(Frame frame) {
      frame.step(line);
      Map<String, Expression> named = new LinkedHashMap<>(call.arguments().named());
      named.put(CALLER, new Expression.Constant(body.bind(frame)));
      Expression.Call withCaller =
          new Expression.Call(
              call.callee(), new Expression.CallArguments(call.arguments().positional(), named));
      frame.write(PythonText.str(withCaller.evaluate(frame)));
      return Flow.NEXT;
    }
  }
}
