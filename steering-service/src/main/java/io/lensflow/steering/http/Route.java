package io.lensflow.steering.http;

import io.javalin.http.Handler;
import io.javalin.http.HandlerType;

/**
 * A method, a path as Javalin writes it, who may ask, and what serves it.
 *
 * @param scope what the caller must be allowed
 * @param changes whether only the instance that writes can serve it
 */
record Route(HandlerType method, String path, Scope scope, boolean changes, Handler handler) {
  /** One that looks. */
  static Route read(HandlerType method, String path, Handler handler) {
    return new Route(method, path, Scope.READ, false, handler);
  }

  /** One that changes something. */
  static Route write(HandlerType method, String path, Handler handler) {
    return new Route(method, path, Scope.WRITE, true, handler);
  }
}
