package io.lensflow.worker.intake;

import akka.actor.typed.ActorRef;
import java.util.ArrayList;
import java.util.List;

/** A request that is held, in all its deliveries. Not thread-safe: the intake owns it. */
final class Held {
  final ActorRef<RequestSession.Command> session;
  final List<Delivery> deliveries = new ArrayList<>();

  /** Whether it takes no slot. */
  boolean parked;

  Held(ActorRef<RequestSession.Command> session, Delivery delivery) {
    this.session = session;
    deliveries.add(delivery);
  }
}
