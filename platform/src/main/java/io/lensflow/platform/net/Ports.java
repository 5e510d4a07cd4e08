package io.lensflow.platform.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Set;

/** Looks at ports before servers do, so that a busy one gives an error that can be understood. */
public final class Ports {
  private Ports() {}

  /** A port of the loopback address that nobody uses at this moment. */
  public static int free() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /**
   * As {@link #free}, but none of those that are spoken for and not yet in use: the system may well
   * name the same port twice in a row.
   */
  public static int freeOtherThan(Set<Integer> taken) throws IOException {
    int port = free();
    while (taken.contains(port)) {
      port = free();
    }
    return port;
  }

  /**
   * Returns if a server can listen at this port.
   *
   * @param port 0 is always free
   * @throws IOException if not: naming the port, the reason, and what to do
   */
  public static void requireFree(String host, int port) throws IOException {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getByName(host))) {
      assert socket.isBound();
    } catch (IOException e) {
      throw new IOException(
          "Port %d of %s cannot be used (%s): stop the program that has it, or choose another port"
              .formatted(port, host, e.getMessage()),
          e);
    }
  }
}
