package io.lensflow.decoder.delivery;

import io.lensflow.decoder.loss.LossFinder;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicPartition;

/**
 * The audits of the holes in this decoder's partitions. That a hole is still being looked into is
 * committed with the partition's offset ({@link OffsetNote}), so that it is followed up whoever has
 * the partition next; what was reported before is found among the results, and not said twice. Not
 * thread-safe: the loop owns it.
 */
final class HoleAudits {
  private final LossFinder finder;
  private final LongSupplier nanoClock;
  private final Map<TopicPartition, HoleAudit> audits = new HashMap<>();

  /**
   * @param finder asked about each hole
   * @param nanoClock the loop's clock
   */
  HoleAudits(LossFinder finder, LongSupplier nanoClock) {
    this.finder = finder;
    this.nanoClock = nanoClock;
  }

  /** Moves all audits on, and begins and ends them as the committed notes say. */
  void turn(Collection<PartitionLedger> ledgers) {
    long now = nanoClock.getAsLong();
    for (PartitionLedger ledger : ledgers) {
      OffsetNote.OpenHole hole = ledger.committedNote().hole().orElse(null);
      HoleAudit audit = audits.get(ledger.partition());
      if (hole == null) {
        audits.remove(ledger.partition());
      } else if (audit == null || !audit.hole().equals(hole)) {
        audit = new HoleAudit(ledger.partition().partition(), hole, finder, now);
        audits.put(ledger.partition(), audit);
      }
      if (hole != null) {
        audit.turn(ledger.committedOffset(), now);
      }
    }
  }

  /** The partition's audit, if it has something to report. */
  Optional<HoleAudit> due(TopicPartition partition) {
    return Optional.ofNullable(audits.get(partition)).filter(HoleAudit::hasReport);
  }

  /** What is to be committed with a report of the audit. */
  OffsetNote noteAfter(HoleAudit audit, OffsetNote note) {
    // Another hole may have been met meanwhile: then all of it is looked into once more.
    boolean same = note.hole().filter(audit.hole()::equals).isPresent();
    return same && audit.isLastReport(nanoClock.getAsLong()) ? note.closed() : note;
  }

  /** The open transaction was committed. */
  void committed(Collection<TopicPartition> partitions) {
    long now = nanoClock.getAsLong();
    for (TopicPartition partition : partitions) {
      Optional.ofNullable(audits.get(partition)).ifPresent(audit -> audit.committed(now));
    }
  }

  /** The open transaction was given up. */
  void aborted() {
    audits.values().forEach(HoleAudit::aborted);
  }

  /** Partitions are no longer ours. */
  void forget(Collection<TopicPartition> partitions) {
    partitions.forEach(audits::remove);
  }
}
