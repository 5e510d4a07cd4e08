#!/usr/bin/env python3
"""Follow requests, settled: rows of the winning attempt only, each exactly once and in order.

Needs confluent-kafka and fastavro. The rule is that of docs/delivery.md; the class Settlement is all
of it, the rest is Kafka and Avro.

    settled.py REQUEST_ID            one request, also long after it has ended
    settled.py --count 10            the next ten requests of anybody
"""
import argparse
import io
import json
import sys
import time
import urllib.request
import uuid

import fastavro
from confluent_kafka import Consumer, TopicPartition

TERMINAL = {"FINISHED", "FAILED", "CANCELLED"}
CLOCK_SKEW_MS = 60_000


class Settlement:
    """What is known about one request. Feed it records in partition order; it returns what to hand on."""

    def __init__(self, request_id):
        self.request_id = request_id
        self.held = []  # (attempt, result) of attempts that nobody has decided on yet
        self.terminal = None  # the first terminal event: its attempt is the winner
        self.next = {}  # lens -> (sequence, part) that is handed on next
        self.waiting = {}  # lens -> {(sequence, part): result} that came too early
        self.lost = {}  # lens -> sequences that can never be decoded; "" stands for every lens
        self.over = False

    def on_completion(self, event):
        if event["type"] in TERMINAL and self.terminal is None:  # later ones are ignored
            self.terminal = event
            yield "outcome", event
            held, self.held = self.held, []
            if event["type"] == "FINISHED":  # of other ends nobody knows how many rows there are
                for attempt, result in held:
                    if attempt == event["attemptId"]:
                        yield from self._take(result)
            yield from self._end()

    def on_result(self, result):
        if self.terminal is None:
            self.held.append((result["attemptId"], result))
        elif result["attemptId"] == self.terminal["attemptId"] and not self.over:
            yield from self._take(result)
            yield from self._end()

    def _take(self, result):
        lens = result["lens"]
        if result["gap"] is not None:
            self.lost.setdefault(lens, set()).update(result["gap"]["missingSequences"])
            yield "lost", result
            lenses = [lens] if lens else list(self.waiting)
        else:
            place = (result["sequence"], result["part"])
            if place >= self.next.setdefault(lens, (0, 0)):  # else it was handed on before
                self.waiting.setdefault(lens, {})[place] = result
            lenses = [lens]
        for each in lenses:
            yield from self._release(each)

    def _release(self, lens):
        waiting = self.waiting.setdefault(lens, {})
        while True:
            sequence, part = self.next.setdefault(lens, (0, 0))
            result = waiting.pop((sequence, part), None)
            if result is not None:
                yield "result", result
                last = part + 1 == result["parts"]
                self.next[lens] = (sequence + 1, 0) if last else (sequence, part + 1)
            elif sequence in self.lost.get(lens, ()) or sequence in self.lost.get("", ()):
                self.next[lens] = (sequence + 1, 0)
            else:
                return

    def _end(self):
        finished = self.terminal["finished"] if self.terminal["type"] == "FINISHED" else None
        if finished and finished["chunks"] > 0:
            lenses = finished["lenses"]  # null: an older worker, which does not say
            for lens in self.next if lenses is None else lenses:
                yield from self._release(lens)
            if any(self.next[lens][0] < finished["chunks"] for lens in (lenses or self.next)):
                return
            if lenses is None and not self.next:
                return
        if not self.over:
            self.over = True
            yield "complete", self.terminal


class Avro:
    """Confluent's wire format: a zero, the schema's id in 4 bytes, Avro binary."""

    def __init__(self, registry):
        self.registry = registry.rstrip("/")
        self.schemas = {}

    def decode(self, data):
        if data[0] != 0:
            raise ValueError("not written with a schema registry's serialiser")
        schema_id = int.from_bytes(data[1:5], "big")
        if schema_id not in self.schemas:
            with urllib.request.urlopen(f"{self.registry}/schemas/ids/{schema_id}") as answer:
                schema = json.loads(json.load(answer)["schema"])
            self.schemas[schema_id] = fastavro.parse_schema(schema)
        return fastavro.schemaless_reader(io.BytesIO(data[5:]), self.schemas[schema_id])


def partition_of(key, partitions):
    """Where Kafka's Java client puts a key: murmur2 of its bytes."""
    data, mask, m = key.encode(), 0xFFFFFFFF, 0x5BD1E995
    h = (0x9747B28C ^ len(data)) & mask
    for i in range(0, len(data) - len(data) % 4, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        h = (h * m & mask) ^ ((k ^ k >> 24) * m & mask)
    tail = data[len(data) - len(data) % 4 :]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return ((h ^ h >> 15) & 0x7FFFFFFF) % partitions


def start_time_ms(request_id):
    """When a UUIDv7 was made, less what clocks may differ; 0 for other ids: from the beginning."""
    try:
        parsed = uuid.UUID(request_id)
        return (parsed.int >> 80) - CLOCK_SKEW_MS if parsed.version == 7 else 0
    except ValueError:
        return 0


def assign(consumer, topics, request_id):
    """One request lies in the same partition number of every topic; all requests lie in all."""
    partitions = []
    for topic in topics:
        count = len(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
        wanted = range(count) if request_id is None else [partition_of(request_id, count)]
        partitions += [TopicPartition(topic, p) for p in wanted]
    since = int(time.time() * 1000) if request_id is None else start_time_ms(request_id)
    ends = [consumer.get_watermark_offsets(tp, timeout=10)[1] for tp in partitions]
    found = consumer.offsets_for_times(
        [TopicPartition(tp.topic, tp.partition, since) for tp in partitions], timeout=10
    )
    for tp, first, end in zip(partitions, found, ends):
        tp.offset = first.offset if first.offset >= 0 else end  # nothing so young: from the end
    consumer.assign(partitions)


def header(message, name):
    values = [value for key, value in message.headers() or [] if key == name and value]
    return values[-1].decode() if values else None


def follow(options):
    consumer = Consumer(
        {
            "bootstrap.servers": options.bootstrap_servers,
            "group.id": "unused",  # librdkafka wants one; nothing is committed
            "enable.auto.commit": False,
            "isolation.level": "read_committed",  # the decoder writes in transactions
        }
    )
    completions = options.topic_prefix + "completions"
    assign(consumer, [completions, options.topic_prefix + "lens-results"], options.request_id)
    avro, requests, over = Avro(options.schema_registry), {}, set()
    deadline = time.monotonic() + options.timeout
    while time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is None or message.error() or message.value() is None:
            continue
        request_id = header(message, "lf-request")  # filtered before anything is decoded
        if request_id in over or options.request_id not in (None, request_id):
            continue
        request = requests.setdefault(request_id, Settlement(request_id))
        record = avro.decode(message.value())
        take = request.on_completion if message.topic() == completions else request.on_result
        for kind, value in take(record):
            yield kind, request_id, value
        if request.over:
            over.add(request_id)
            del requests[request_id]
            if options.request_id is not None or len(over) == options.count:
                consumer.close()
                return
    raise TimeoutError(f"not settled after {options.timeout} s: {sorted(requests) or options.request_id}")


def rows(result):
    """One dict per (layer, position), from the flattened arrays."""
    k, positions = result["topK"], result["positions"]
    for i in range(len(result["layers"]) * len(positions)):
        yield {
            "lens": result["lens"],
            "hookPoint": result["hookPoint"],
            "layer": result["layers"][i // len(positions)],
            "position": positions[i % len(positions)],
            "tokenId": result["tokenIds"][i % len(positions)],
            "top": [
                {"id": id, "text": text, "probability": probability}
                for id, text, probability in zip(
                    result["topIds"][i * k : i * k + k],
                    result["topTexts"][i * k : i * k + k],
                    result["topProbabilities"][i * k : i * k + k],
                )
            ],
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("request_id", nargs="?")
    parser.add_argument("--bootstrap-servers", default="localhost:9092")
    parser.add_argument("--schema-registry", default="http://localhost:8081")
    parser.add_argument("--topic-prefix", default="")
    parser.add_argument("--count", type=int, help="end after so many requests")
    parser.add_argument("--timeout", type=float, default=600, help="seconds")
    options = parser.parse_args()
    try:
        for kind, request_id, value in follow(options):
            if kind == "outcome":
                finished = value["finished"] or {}
                line = {"type": value["type"], "text": finished.get("text")}
                print(json.dumps({"request": request_id, "attempt": value["attemptId"], **line}))
            elif kind == "result":
                for row in rows(value):
                    print(json.dumps({"request": request_id, "attempt": value["attemptId"], **row}))
    except TimeoutError as e:
        sys.exit(f"settled.py: {e}")


if __name__ == "__main__":
    main()
