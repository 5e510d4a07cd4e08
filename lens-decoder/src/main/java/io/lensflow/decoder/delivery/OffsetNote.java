package io.lensflow.decoder.delivery;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What is committed beside a partition's offset, as its metadata, so that whoever reads the
 * partition next knows as much: up to which time rows were decoded, and the hole whose losses are
 * not all reported yet. Immutable.
 *
 * @param recordMillis the broker's time of the last record before the offset; −1 if not known
 * @param hole offsets that were lost; empty once their losses are reported
 */
record OffsetNote(long recordMillis, Optional<OpenHole> hole) {
  /** Nothing is known. */
  static final OffsetNote NONE = new OffsetNote(-1, Optional.empty());

  /**
   * How long before a hole a request may have begun, or had its last event, whose chunks fell into
   * it: a worker gives a request half an hour by default, and clocks of brokers differ a little.
   */
  static final Duration REQUEST_TIME = Duration.ofHours(1);

  private static final Pattern FORM =
      Pattern.compile("lensflow/1 t=(-?\\d+)(?: hole=(\\d+)-(\\d+) since=(-?\\d+))?");

  /**
   * Offsets without records, whose losses are looked for.
   *
   * @param firstOffset first of them; where there were several such stretches, of the first
   * @param lastOffset last of them, of the last stretch
   * @param sinceMillis no event of a request that lost chunks is older, by the broker's clock; −1
   *     if not known
   */
  record OpenHole(long firstOffset, long lastOffset, long sinceMillis) {
    private OpenHole with(OpenHole later) {
      return new OpenHole(
          Math.min(firstOffset, later.firstOffset),
          Math.max(lastOffset, later.lastOffset),
          Math.min(sinceMillis, later.sinceMillis));
    }
  }

  /** After an entry of the partition. */
  OffsetNote after(LedgerEntry entry) {
    OffsetNote read = new OffsetNote(Math.max(recordMillis, entry.recordMillis()), hole);
    if (entry instanceof LedgerEntry.Hole gone) {
      return read.with(gone.firstOffset(), gone.lastOffset());
    }
    // A chunk that cannot be read is lost as well, and nobody knows which one it was.
    return entry instanceof LedgerEntry.Refused refused && refused.isNamelessChunk()
        ? read.with(refused.record().offset(), refused.record().offset())
        : read;
  }

  private OffsetNote with(long firstOffset, long lastOffset) {
    long since = recordMillis < 0 ? -1 : Math.max(0, recordMillis - REQUEST_TIME.toMillis());
    OpenHole found = new OpenHole(firstOffset, lastOffset, since);
    return new OffsetNote(
        recordMillis, Optional.of(hole.map(known -> known.with(found)).orElse(found)));
  }

  /** With all losses reported. */
  OffsetNote closed() {
    return new OffsetNote(recordMillis, Optional.empty());
  }

  /** As committed. */
  String encode() {
    String time = "lensflow/1 t=" + recordMillis;
    return hole.map(
            h ->
                "%s hole=%d-%d since=%d"
                    .formatted(time, h.firstOffset(), h.lastOffset(), h.sinceMillis()))
        .orElse(time);
  }

  /** As read back; {@link #NONE} of an offset that somebody else committed. */
  static OffsetNote decode(String metadata) {
    Matcher form = FORM.matcher(metadata);
    if (!form.matches()) {
      return NONE;
    }
    OpenHole hole =
        form.group(2) == null
            ? null
            : new OpenHole(
                Long.parseLong(form.group(2)),
                Long.parseLong(form.group(3)),
                Long.parseLong(form.group(4)));
    return new OffsetNote(Long.parseLong(form.group(1)), Optional.ofNullable(hole));
  }
}
