package io.lensflow.engine.model;

import io.lensflow.engine.Engine;

/**
 * Breaks a rank of a real engine as one that fails does: it sends the others away from where they
 * meet.
 */
public final class RankBreaker {
  private RankBreaker() {}

  /**
   * Breaks it; ranks that run notice at their next meeting. May be called by any thread.
   *
   * @param engine of two ranks or more
   */
  public static void fail(Engine engine, Throwable cause) {
    try {
      var reduce = Transformer.class.getDeclaredField("reduce");
      reduce.setAccessible(true);
      ((AllReduce) reduce.get(engine)).rendezvous().breakUp(cause);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError("the engine keeps its meeting place elsewhere", e);
    }
  }
}
