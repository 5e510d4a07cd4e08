"""The settled rule of docs/delivery.md, once more: nothing here is shared with the Java client or with the example.

What it finds wrong it says; the caller counts.
"""
import itertools

TERMINAL = ("FINISHED", "FAILED", "CANCELLED")


class Settled:
    """A request as it stands in the end.

    terminal   the first terminal event in partition order, None without one
    winner     its attempt
    accepted   the winner's ACCEPTED event
    chunks     the winner's chunks by sequence
    results    by lens, the winner's results by sequence and part
    problems   sentences about what does not hold
    """

    def __init__(self, events, chunks, results):
        self.events, self.problems = events, []
        self.terminal = next((event for event in events if event["type"] in TERMINAL), None)
        self.winner = self.terminal["attemptId"] if self.terminal else None
        self.attempts = {event["attemptId"] for event in events if event["attemptId"]}
        self.all_results = results
        self.repeated_results = self.repeated_chunks = 0
        self.all_chunks = self.by_attempt(chunks)
        self.dropped_chunks = self.dropped_results = self.gaps = 0
        self.accepted = None
        self.chunks, self.results = [], {}
        if self.terminal and self.terminal["type"] == "FINISHED":
            self.settle(chunks, results)
        self.check_every_attempt()

    def by_attempt(self, chunks):
        """Of every attempt its chunks by sequence. A chunk that comes again has to be the same."""
        found = {}
        for chunk in chunks:
            first = found.setdefault(chunk["attemptId"], {}).setdefault(chunk["sequence"], chunk)
            if first is not chunk:
                self.repeated_chunks += 1
                if first != chunk:
                    self.problems.append(f"attempt {chunk['attemptId']} has two different chunks {chunk['sequence']}")
        return found

    def settle(self, chunks, results):
        finished = self.terminal["finished"]
        self.accepted = next((event["accepted"] for event in self.events
                              if event["type"] == "ACCEPTED" and event["attemptId"] == self.winner), None)
        mine = self.all_chunks.get(self.winner, {})
        self.dropped_chunks = len(chunks) - len(mine)
        expected = range(finished["chunks"])
        if sorted(mine) != list(expected):
            self.problems.append(f"chunks {sorted(mine)} are there, {finished['chunks']} were announced")
        self.chunks = [mine[sequence] for sequence in sorted(mine)]
        for lens in finished["lenses"] or []:
            self.results[lens] = self.settle_lens(lens, expected, results)
        strangers = {r["lens"] for r in results if r["attemptId"] == self.winner} - set(finished["lenses"] or [])
        if strangers:
            self.problems.append(f"results of lenses that nobody asked for: {strangers}")
        kept = sum(len(parts) for parts in self.results.values())
        self.dropped_results = len(results) - kept - self.gaps

    def settle_lens(self, lens, expected, results):
        parts, missing = {}, set()
        for result in results:
            if result["attemptId"] != self.winner or result["lens"] != lens:
                continue  # a loser's
            if result["gap"] is not None:
                self.gaps += 1
                missing.update(result["gap"]["missingSequences"])
            else:
                parts.setdefault((result["sequence"], result["part"]), result)
        for sequence in expected:
            counts = {r["parts"] for (s, _), r in parts.items() if s == sequence}
            there = sorted(part for s, part in parts if s == sequence)
            if sequence in missing:
                self.problems.append(f"lens {lens} sequence {sequence} is a gap: rows were lost")
            elif len(counts) != 1 or there != list(range(counts.pop())):
                self.problems.append(f"lens {lens} sequence {sequence} is not whole: parts {there}")
        beyond = {s for s, _ in parts} - set(expected)
        if beyond:
            self.problems.append(f"lens {lens} has results of sequences {beyond}, which do not exist")
        return [parts[place] for place in sorted(parts)]

    def check_every_attempt(self):
        """Read committed, `lens-results` answers each chunk of each attempt once per lens, in order."""
        answered, last = set(), {}
        for result in self.all_results:
            stream = (result["attemptId"], result["lens"])
            gap = result["gap"]
            places = [(s, 0) for s in gap["missingSequences"]] if gap else [(result["sequence"], result["part"])]
            for place in places:
                if (*stream, *place) in answered:
                    self.repeated_results += 1
                    self.problems.append(f"attempt {stream[0]} lens {stream[1]} sequence and part {place} came twice")
                elif place < last.get(stream, (-1, -1)):
                    self.problems.append(f"attempt {stream[0]} lens {stream[1]} {place} came after {last[stream]}")
                answered.add((*stream, *place))
                last[stream] = max(place, last.get(stream, (-1, -1)))
        for attempt, chunks in self.all_chunks.items():
            for sequence, chunk in chunks.items():
                for lens in {lens["name"] for lens in chunk["lenses"]}:
                    if (attempt, lens, sequence, 0) not in answered:
                        self.problems.append(f"attempt {attempt} sequence {sequence} was never answered by lens {lens}")
        for event in self.events:
            if event["type"] == "FINISHED":
                there = self.all_chunks.get(event["attemptId"], {})
                absent = set(range(event["finished"]["chunks"])) - set(there)
                if absent:
                    self.problems.append(f"attempt {event['attemptId']} finished before its chunks {sorted(absent)}")


def rows(record):
    """(hook point, layer, position) of each row of a chunk or a result, in the order of its arrays."""
    return [(record["hookPoint"], layer, position)
            for layer, position in itertools.product(record["layers"], record["positions"])]


def once(places, expected, what):
    """Sentences about places that are there twice, are missing, or should not be there."""
    seen, twice = set(), []
    for place in places:
        if place in seen:
            twice.append(place)
        seen.add(place)
    found = []
    for name, wrong in (("twice", twice), ("missing", sorted(expected - seen)), ("uncalled-for", sorted(seen - expected))):
        if wrong:
            found.append(f"{what}: {len(wrong)} rows {name}, the first {wrong[0]}")
    return found
