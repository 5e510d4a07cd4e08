package io.lensflow.text.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** A statement of a template. Immutable; a frame holds all that changes. */
sealed interface Statement
    permits Statement.Text,
        Statement.Output,
        Statement.If,
        Statement.For,
        Statement.Set,
        Statement.SetBlock,
        Statement.With,
        Statement.FilterBlock,
        Statement.Jump,
        Macro,
        Macro.CallBlock {
  /** How the enclosing loop goes on. */
  enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  Flow execute(Frame frame);

  /** Runs statements until one leaves the loop's body. */
  static Flow run(List<Statement> body, Frame frame) {
    for (Statement statement : body) {
      Flow flow = statement.execute(frame);
      if (flow != Flow.NEXT) {
        return flow;
      }
    }
    return Flow.NEXT;
  }

  record Text(String text) implements Statement {
    @Override
    public Flow execute(Frame frame) {
      frame.write(text);
      return Flow.NEXT;
    }
  }

  record Output(Expression expression, int line) implements Statement {
    @Override
    public Flow execute(Frame frame) {
      frame.step(line);
      frame.write(PythonText.str(expression.evaluate(frame)));
      return Flow.NEXT;
    }
  }

  record If(Expression condition, List<Statement> then, List<Statement> otherwise, int line)
      implements Statement {
    @Override
    public Flow execute(Frame frame) {
      frame.step(line);
      return run(Values.isTrue(condition.evaluate(frame)) ? then : otherwise, frame);
    }
  }

  /** A loop; {@code filter} is null where there is none. */
  record For(
      Target target,
      Expression items,
      Expression filter,
      boolean recursive,
      List<Statement> body,
      List<Statement> otherwise,
      int line)
      implements Statement {
    @Override
    public Flow execute(Frame frame) {
      frame.step(line);
      run(items.evaluate(frame), frame, 0);
      return Flow.NEXT;
    }

    private void run(Object sequence, Frame frame, int depth) {
      Callable recurse = recursive ? arguments -> recurse(arguments, frame, depth + 1) : null;
      LoopState loop =
          filter == null
              ? new LoopState(Values.iterate(sequence), length(sequence), depth, recurse)
              : new LoopState(new Kept(Values.iterate(sequence), this, frame), -1, depth, recurse);
      boolean empty = true;
      while (loop.next()) {
        empty = false;
        Frame body = frame.inner();
        body.step(line);
        body.set("loop", loop);
        target.assign(loop.item(), body);
        if (Statement.run(this.body, body) == Flow.BREAK) {
          break;
        }
      }
      if (empty) {
        Statement.run(otherwise, frame.inner());
      }
    }

    private static int length(Object sequence) {
      return sequence instanceof Generator ? -1 : Values.length(sequence);
    }

    private String recurse(Arguments arguments, Frame frame, int depth) {
      Object items = arguments.bind("loop", 1, "iterable").get(0);
      return frame.call(
          inner -> {
            run(items, inner, depth);
            return inner;
          });
    }
  }

  /** The items of a loop that its filter keeps, each tested when the loop comes to it. */
  final class Kept implements Iterator<Object> {
    private final Iterator<Object> items;
    private final For loop;
    private final Frame frame;
    private final List<Object> ahead = new ArrayList<>(1);

    Kept(Iterator<Object> items, For loop, Frame frame) {
      this.items = items;
      this.loop = loop;
      this.frame = frame;
    }

    @Override
    public boolean hasNext() {
      while (ahead.isEmpty() && items.hasNext()) {
        Object item = items.next();
        Frame test = frame.inner();
        test.step(loop.line());
        loop.target().assign(item, test);
        if (Values.isTrue(loop.filter().evaluate(test))) {
          ahead.add(item);
        }
      }
      return !ahead.isEmpty();
    }

    @Override
    public Object next() {
      hasNext();
      return ahead.remove(0);
    }
  }

  record Set(Target target, Expression value, int line) implements Statement {
    @Override
    public Flow execute(Frame frame) {
      frame.step(line);
      target.assign(value.evaluate(frame), frame);
      return Flow.NEXT;
    }
  }

  /** {@code set name} … {@code endset}, through filters if there are any. */
  record SetBlock(Target target, List<Expression.Filtered> filters, List<Statement> body, int line)
      implements Statement {
    @Override
    public Flow execute(Frame frame) {
      frame.step(line);
      target.assign(filtered(filters, body, frame), frame);
      return Flow.NEXT;
    }
  }

  /** Names for a body; without names, a body with a scope of its own. */
  record With(List<Target> targets, List<Expression> values, List<Statement> body, int line)
      implements Statement {
    @Override
    public Flow execute(Frame frame) {
      frame.step(line);
      Frame inner = frame.inner();
      for (int i = 0; i < targets.size(); i++) {
        targets.get(i).assign(values.get(i).evaluate(frame), inner);
      }
      return run(body, inner);
    }
  }

  record FilterBlock(List<Expression.Filtered> filters, List<Statement> body, int line)
      implements Statement {
    @Override
    public Flow execute(Frame frame) {
      frame.step(line);
      frame.write(PythonText.str(filtered(filters, body, frame)));
      return Flow.NEXT;
    }
  }

  private static Object filtered(
      List<Expression.Filtered> filters, List<Statement> body, Frame frame) {
    Frame inner = frame.capturing();
    run(body, inner);
    Object value = inner.output();
    for (Expression.Filtered filter : filters) {
      value = filter.apply(value, frame);
    }
    return value;
  }

  /** {@code break} or {@code continue}. */
  record Jump(Flow flow) implements Statement {
    @Override
    public Flow execute(Frame frame) {
      return flow;
    }
  }
}
