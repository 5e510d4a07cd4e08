#!/usr/bin/env python3
"""Judges a soak run by what lies on the topics.

  check.py record FOLDER ...   copies the topics into FOLDER
  check.py cases FOLDER        writes what the engine is to run alone, into FOLDER/cases.jsonl
  check.py judge FOLDER ...    accounts for every request and row; exit code 0 if all holds, 1 if not

Needs: pip install confluent-kafka fastavro numpy
"""
import argparse
import collections
import hashlib
import itertools
import json
import pathlib
import sys

from recording import Recording, record
from settled import Settled, once, rows

PROBLEMS_SHOWN = 20
ATTEMPTS = 3  # after which a worker gives a request up


class Run:
    """A recorded run: what was sent (FOLDER/sent.jsonl), and what lies on the topics (FOLDER/records)."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.sent = [json.loads(line) for line in open(self.folder / "sent.jsonl")]
        self.recording = Recording(self.folder / "records")
        self.places = {topic: self.recording.by_request(topic)
                       for topic in ("prompt-requests", "completions", "activations", "lens-results")}

    def requests(self):
        """What was sent as a request, each id once."""
        return {sent["id"]: sent for sent in self.sent if sent["id"]}

    def of(self, topic, request):
        return list(self.recording.values(topic, self.places[topic].get(request, [])))

    def settle(self, request):
        return Settled(self.of("completions", request), self.of("activations", request), self.of("lens-results", request))


def tokens(settled):
    """The winner's prompt and generated ids."""
    prompt = settled.accepted["promptTokenIds"] if settled.accepted else []
    generated = {}
    for event in settled.events:
        if event["type"] == "TOKENS" and event["attemptId"] == settled.winner:
            generated.update(zip(event["tokens"]["positions"], event["tokens"]["ids"]))
    return prompt, [generated[position] for position in sorted(generated)]


def whole(settled, prompt, generated):
    """Whether there are as many tokens as the end says."""
    finished = settled.terminal["finished"]
    return (len(prompt), len(generated)) == (finished["promptTokens"], finished["generatedTokens"])


def cases(run):
    """Step between: what the engine runs alone, forced along the tokens that were published."""
    with open(run.folder / "cases.jsonl", "w") as file:
        for request in run.requests():
            settled = run.settle(request)
            prompt, generated = tokens(settled)
            if not settled.chunks or not whole(settled, prompt, generated):
                continue
            hook_points = sorted({chunk["hookPoint"] for chunk in settled.chunks})
            asked = run.of("prompt-requests", request)[0]
            print(json.dumps({
                "id": request, "promptLength": len(prompt), "tokenIds": prompt + generated, "hookPoints": hook_points,
                "layers": sorted({layer for chunk in settled.chunks for layer in chunk["layers"]}),
                "positions": asked["capture"]["positions"], "steering": settled.accepted["steering"]}), file=file)


class Judge:
    """Accounts for everything; `problems` has a sentence for all that does not hold."""

    def __init__(self, run, model):
        from contents import Contents
        self.run, self.contents = run, Contents(model)
        self.problems, self.counts = [], collections.Counter()
        self.by_kind, self.outcomes = collections.Counter(), collections.Counter()

    def say(self, request, sentence):
        self.problems.append(f"request {request} ({self.run.requests()[request]['kind']}): {sentence}")

    def judge(self):
        requests = self.run.requests()
        for request, sent in requests.items():
            self.by_kind[sent["kind"]] += 1
            self.judge_request(request, sent, self.run.settle(request))
        for topic in ("completions", "activations", "lens-results"):
            strangers = set(self.run.places[topic]) - set(requests) - {""}
            if strangers:
                self.problems.append(f"{topic} has records of {len(strangers)} requests that were never sent")
        self.judge_dead_letters()
        self.contents.finish()
        self.problems += self.contents.problems
        if sum(self.outcomes.values()) != len(requests):
            self.problems.append(f"{len(requests)} requests were sent, {sum(self.outcomes.values())} ended: {dict(self.outcomes)}")

    def judge_request(self, request, sent, settled):
        asked = self.run.of("prompt-requests", request)
        if not asked:
            return self.say(request, "the broker acknowledged it and does not have it")
        if settled.terminal is None:
            return self.say(request, "never ended")
        outcome = settled.terminal["type"]
        self.outcomes[outcome] += 1
        self.counts["attempts"] += len(settled.attempts)
        self.counts["requests run more than once"] += len(settled.attempts) > 1
        self.counts["later terminal events ignored"] += sum(e["type"] in ("FINISHED", "FAILED", "CANCELLED") for e in settled.events) - 1
        self.counts["chunks of losers"] += settled.dropped_chunks
        self.counts["results of losers and repeats dropped"] += settled.dropped_results
        self.counts["chunks that came twice"] += settled.repeated_chunks
        self.counts["results that came twice"] += settled.repeated_results
        self.counts["gaps"] += settled.gaps
        for sentence in settled.problems:
            self.say(request, sentence)
        self.judge_outcome(request, sent, settled)
        if outcome == "FINISHED":
            self.judge_finished(request, asked[0], settled)

    def judge_outcome(self, request, sent, settled):
        outcome, failure = settled.terminal["type"], settled.terminal["failure"]
        if outcome == "FAILED" and failure["code"] == "ATTEMPTS_EXHAUSTED" and len(settled.attempts) >= ATTEMPTS:
            self.counts["given up after all attempts"] += 1
            return
        expected = {"INVALID": {"FAILED"}, "CANCELLED": {"CANCELLED", "FINISHED"}}.get(sent["kind"], {"FINISHED"})
        if outcome not in expected:
            self.say(request, f"ended {outcome}, not {' or '.join(sorted(expected))}: {failure}")
        elif outcome == "FAILED" and sent["field"] not in (failure["field"] or ""):
            self.say(request, f"failed, but not for {sent['field']}: {failure}")

    def judge_finished(self, request, asked, settled):
        if settled.accepted is None:
            return self.say(request, "finished without ever being accepted")
        finished, capture = settled.terminal["finished"], asked["capture"]
        prompt, generated = tokens(settled)
        if not whole(settled, prompt, generated):
            return self.say(request, f"{finished['promptTokens']} + {finished['generatedTokens']} tokens were announced,"
                                     f" {len(prompt)} + {len(generated)} are there")
        self.judge_tokens(request, settled, prompt, generated)
        layers = range(self.contents.lens.layers) if capture["layers"] == "all" else [int(i) for i in capture["layers"].split(",")]
        positions = wanted_positions(capture["positions"], len(prompt), len(generated))
        expected = {(hook, layer, position) for hook in capture["hookPoints"] for layer in layers for position in positions} \
            if capture["hookPoints"] else set()
        self.problems_of(request, once([p for c in settled.chunks for p in rows(c)], expected, "activations"))
        asked_lenses = {lens["name"]: lens for lens in asked["lenses"]}
        if set(settled.results) != (set(asked_lenses) if expected else set(settled.results)):
            self.say(request, f"lenses {sorted(settled.results)} answer, {sorted(asked_lenses)} were asked for")
        for lens, results in settled.results.items():
            self.problems_of(request, once([p for r in results for p in rows(r)], expected, f"lens {lens}"))
        self.judge_steering(request, asked, settled)
        self.judge_contents(request, asked, settled, prompt, generated, asked_lenses)
        self.counts["rows settled"] += len(expected)

    def problems_of(self, request, sentences):
        for sentence in sentences:
            self.say(request, sentence)

    def judge_tokens(self, request, settled, prompt, generated):
        """Every generated token once, in order, and the text they make."""
        events = [e["tokens"] for e in settled.events if e["type"] == "TOKENS" and e["attemptId"] == settled.winner]
        positions = [p for event in events for p in event["positions"]]
        if positions != list(range(len(prompt), len(prompt) + len(generated))):
            self.say(request, f"tokens come at positions {positions}")
        text = "".join(t for event in events for t in event["texts"])
        if text != settled.terminal["finished"]["text"]:
            self.say(request, f"the tokens make {text!r}, the end says {settled.terminal['finished']['text']!r}")
        sequence = prompt + generated
        for chunk in settled.chunks:
            for position, token, following in zip(chunk["positions"], chunk["tokenIds"], chunk["nextTokenIds"]):
                nxt = sequence[position + 1] if position + 1 < len(sequence) else None
                if token != sequence[position] or following != nxt:
                    self.say(request, f"position {position} of a chunk names tokens {token}, {following}")

    def judge_steering(self, request, asked, settled):
        """What was asked for was applied, and every record names it."""
        applied = settled.accepted["steering"]
        names, wanted = vectors(applied), vectors(asked["steering"])
        if names != wanted:
            self.say(request, f"steered by {names}, not by {wanted}")
        for row in settled.chunks + [r for results in settled.results.values() for r in results]:
            if row["steering"] != applied or row["steeringFingerprint"] != settled.accepted["steeringFingerprint"]:
                self.say(request, f"sequence {row['sequence']} names steering {row['steering']}, not {applied}")

    def judge_contents(self, request, asked, settled, prompt, generated, lenses):
        if not settled.chunks:
            return
        file = self.run.folder / "expected" / f"{request}.safetensors"
        if not file.exists():
            return self.say(request, "the engine alone has not run it")
        from contents import safetensors
        expected = safetensors(file)
        name = f"request {request} ({self.run.requests()[request]['kind']})"
        self.contents.check_tokens(name, {key: expected[key][len(prompt) - 1:] for key in ("choices", "gaps")},
                                   generated, asked["sampling"]["temperature"] == 0)
        chunks = {chunk["sequence"]: chunk for chunk in settled.chunks}
        for chunk in settled.chunks:
            self.contents.check_rows(name, chunk, expected)
        for lens, results in settled.results.items():
            for result in results:
                self.counts["canary mismatches"] += result["canaryMismatches"]
                if result["canaryMismatches"]:
                    self.say(request, f"the canary found {result['canaryMismatches']} mismatches")
                if result["sequence"] in chunks:
                    self.contents.check_result(name, result, chunks[result["sequence"]], lenses[lens]["accuracy"])

    def judge_dead_letters(self):
        """Each record that is none lies there whole; nothing else does but what was given up."""
        broken = {sent["sha256"]: sent for sent in self.run.sent if not sent["id"]}
        found = collections.Counter()
        for raw in self.run.recording.read("dead-letters"):
            letter = self.run.recording.decode(raw.value)
            digest = hashlib.sha256(letter["value"] or b"").hexdigest()
            found[digest] += 1
            if digest not in broken and letter["failure"]["code"] != "ATTEMPTS_EXHAUSTED":
                self.problems.append(f"a dead letter that nobody caused: {letter['failure']}")
        self.counts["broken records sent"] = len(broken)
        self.counts["broken records among the dead letters"] = sum(digest in found for digest in broken)
        for digest, sent in broken.items():
            if digest not in found:
                self.problems.append(f"the {sent['kind']} record #{sent['index']} is not among the dead letters")

    def summary(self):
        contents = self.contents
        counts = {name: self.counts[name] for name in sorted(self.counts)}
        return {
            "requests": len(self.run.requests()), "by kind": dict(sorted(self.by_kind.items())),
            "by outcome": dict(sorted(self.outcomes.items())), **counts,
            "rows checked": contents.rows, "worst row": contents.worst_row, "results checked": contents.results,
            "worst result": {metric: contents.worst[metric] for metric in sorted(contents.worst)},
            "tokens checked": contents.tokens, "tokens behind a small gap": contents.tokens_after_gap,
            "problems": len(self.problems)}


def vectors(steering):
    """Names and multipliers in order; a vector of several sites is listed once for each of them."""
    return [vector for vector, _ in itertools.groupby((s["name"], s["multiplier"]) for s in steering)]


def wanted_positions(spec, prompt, generated):
    """Rows of a request: P + G − 1 (P, if nothing was generated)."""
    every = range(prompt + max(generated - 1, 0))
    return {"all": every, "prompt": range(prompt), "last_prompt": [prompt - 1], "generated": every[prompt:]}[spec]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    recorder = commands.add_parser("record")
    recorder.add_argument("--bootstrap-servers", required=True)
    recorder.add_argument("--schema-registry", required=True)
    recorder.add_argument("--prefix", default="")
    judge = commands.add_parser("judge")
    judge.add_argument("--model", required=True, help="folder of the checkpoint")
    for command in (recorder, commands.add_parser("cases"), judge):
        command.add_argument("folder")
    args = parser.parse_args()
    if args.command == "record":
        record(pathlib.Path(args.folder) / "records", args.bootstrap_servers, args.schema_registry, args.prefix)
        return 0
    run = Run(args.folder)
    if args.command == "cases":
        cases(run)
        return 0
    judge = Judge(run, args.model)
    judge.judge()
    (run.folder / "summary.json").write_text(json.dumps(judge.summary(), indent=1))
    (run.folder / "problems.txt").write_text("".join(problem + "\n" for problem in judge.problems))
    for problem in judge.problems[:PROBLEMS_SHOWN]:
        print(problem)
    return 1 if judge.problems else 0


if __name__ == "__main__":
    sys.exit(main())
