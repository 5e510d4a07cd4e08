"""Breaks a recorded run on purpose: takes one request out of it, changes its records, and has that judged.

  break_rule.py RUN OUT MODEL HOW...

HOW are functions below. Prints a JSON object: of each the request, and what the checker found wrong.
"""
import json
import pathlib
import shutil
import struct
import sys

FOLDER, OUT, MODEL = map(pathlib.Path, sys.argv[1:4])
sys.path.insert(0, str(FOLDER / "checker"))
from check import Judge, Run  # noqa: E402
from recording import TOPICS, save  # noqa: E402


class One:
    """The records of one request, decoded, to be changed."""

    def __init__(self, run, request):
        self.run, self.request, self.sent = run, request, run.requests()[request]
        self.settled = run.settle(request)
        self.raws = {topic: [raw for raw in run.recording.read(topic) if raw.request() == request] for topic in TOPICS}
        self.values = {topic: [run.recording.decode(raw.value) for raw in raws] for topic, raws in self.raws.items()}

    def indices(self, topic, attempt, **fields):
        return [i for i, value in enumerate(self.values[topic]) if value["attemptId"] == attempt
                and all(value[name] == wanted for name, wanted in fields.items())]

    def repeat(self, topic, index, **changes):
        """Writes a record once more, at the end."""
        self.raws[topic].append(self.raws[topic][index])
        self.values[topic].append({**self.values[topic][index], **changes})

    def remove(self, topic, index):
        del self.raws[topic][index], self.values[topic][index]

    def write(self, out):
        (out / "records").mkdir(parents=True)
        (out / "sent.jsonl").write_text(json.dumps(self.sent) + "\n")
        shutil.copy(self.run.folder / "records/schemas.json", out / "records/schemas.json")
        (out / "expected").symlink_to((self.run.folder / "expected").resolve())
        for topic in TOPICS:
            with open(out / "records" / f"{topic}.records", "wb") as file:
                for raw, value in zip(self.raws[topic], self.values[topic]):
                    save(file, raw._replace(value=self.run.recording.encode(value, raw.value)))


def nothing(one):
    """As it was: holds."""


def row_twice(one):
    """Chunk 0 and its results come again under the next number, so that all numbers are there and rows are not once."""
    winner, number = one.settled.winner, one.settled.terminal["finished"]["chunks"]
    one.repeat("activations", one.indices("activations", winner, sequence=0)[0], sequence=number)
    for index in one.indices("lens-results", winner, sequence=0):
        one.repeat("lens-results", index, sequence=number)
    for index in one.indices("completions", winner, type="FINISHED"):
        one.values["completions"][index]["finished"]["chunks"] += 1


def result_twice(one):
    """A committed result comes again, as from a decoder that is not exactly-once."""
    one.repeat("lens-results", one.indices("lens-results", one.settled.winner)[0])


def losers_row(one):
    """Results of another attempt pass for the winner's."""
    loser = next(iter(one.settled.attempts - {one.settled.winner}))
    index = one.indices("lens-results", loser)[0]
    one.values["lens-results"][index]["attemptId"] = one.settled.winner


def missing_chunk(one):
    """A chunk was lost though the end was written."""
    one.remove("activations", one.indices("activations", one.settled.winner, sequence=0)[0])


def missing_result(one):
    """A chunk was never decoded, and nobody said so."""
    one.remove("lens-results", one.indices("lens-results", one.settled.winner, sequence=0)[0])


def altered_row(one):
    """One row is off by a thousandth of its norm."""
    chunk = one.values["activations"][one.indices("activations", one.settled.winner)[0]]
    width = 4 * chunk["shape"][2]
    row = struct.unpack(f"<{chunk['shape'][2]}f", chunk["payload"][:width])
    chunk["payload"] = struct.pack(f"<{len(row)}f", *(1.001 * x for x in row)) + chunk["payload"][width:]


def altered_token(one):
    """A published token is not what the engine chooses."""
    index = one.indices("completions", one.settled.winner, type="TOKENS")[0]
    one.values["completions"][index]["tokens"]["ids"][0] += 1


def unnamed_steering(one):
    """A result does not say that its rows were steered."""
    result = one.values["lens-results"][one.indices("lens-results", one.settled.winner)[0]]
    result["steering"] = []


def no_end(one):
    """A request never ended."""
    for index in reversed(range(len(one.values["completions"]))):
        if one.values["completions"][index]["type"] in ("FINISHED", "FAILED", "CANCELLED"):
            one.remove("completions", index)


def lost_request(one):
    """The broker has lost what it acknowledged."""
    one.remove("prompt-requests", 0)


def suits(how, sent, settled):
    """Whether a request has what is to be broken."""
    finished = settled.terminal is not None and settled.terminal["type"] == "FINISHED"
    if not finished or not settled.chunks or not any(settled.results.values()) or not settled.terminal["finished"]["generatedTokens"]:
        return False
    losers = {r["attemptId"] for r in settled.all_results} - {settled.winner}
    return {"losers_row": bool(losers), "unnamed_steering": sent["kind"] == "STEERED",
            "altered_token": sent["kind"] == "SHORT", "lost_request": sent["kind"] == "SHORT"}.get(how, True)


def judge(run, settled, how):
    request = next(request for request, sent in run.requests().items() if suits(how, sent, settled[request]))
    one = One(run, request)
    globals()[how](one)
    one.write(OUT / how)
    judge = Judge(Run(OUT / how), MODEL)
    judge.judge()
    return {"request": request, "problems": judge.problems}


run = Run(FOLDER)
settled = {request: run.settle(request) for request in run.requests()}
print(json.dumps({how: judge(run, settled, how) for how in sys.argv[4:]}))
