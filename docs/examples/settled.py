#!/usr/bin/env python3
"""Prints each settled row of a request once, as one JSON object a line.

The rule of docs/delivery.md in Python; its steps have their numbers here.
Needs: pip install confluent-kafka fastavro
"""
import argparse, functools, io, itertools, json, sys, time, urllib.request, uuid

from confluent_kafka import Consumer, KafkaException, TopicPartition
from fastavro import parse_schema, schemaless_reader

CLOCK_SKEW_MS = 30_000


@functools.cache
def schema(registry, schema_id):
    with urllib.request.urlopen(f"{registry}/schemas/ids/{schema_id}") as answer:
        return parse_schema(json.loads(json.load(answer)["schema"]))


def decode(registry, value):
    """Confluent's wire format: a zero byte, the schema's id in four bytes, Avro."""
    return schemaless_reader(io.BytesIO(value[5:]), schema(registry, int.from_bytes(value[1:5], "big")))


def created_ms(request_id):
    """The time in a UUIDv7; 0 for other ids, so that the whole log is read."""
    try:
        made = uuid.UUID(request_id)
    except ValueError:
        return 0
    return made.int >> 80 if made.version == 7 else 0


def start(consumer, topic, partition, since_ms):
    """The first record not older than a time; if there is none, the end as it was before the search."""
    end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1]
    [first] = consumer.offsets_for_times([TopicPartition(topic, partition, since_ms)], timeout=10)
    return TopicPartition(topic, partition, first.offset if first.offset >= 0 else end)


def records(args, topics):
    """Step 1: topic and value of every record of the request, as they come."""
    consumer = Consumer({"bootstrap.servers": args.bootstrap_servers, "isolation.level": "read_committed",
                         "group.id": "not-used", "enable.auto.commit": False})
    since_ms = max(0, created_ms(args.request_id) - CLOCK_SKEW_MS)
    partitions = {topic: consumer.list_topics(topic, timeout=10).topics[topic].partitions for topic in topics}
    if not all(partitions.values()):
        sys.exit(f"a topic of {topics} does not exist; check --prefix")
    consumer.assign([start(consumer, topic, p, since_ms) for topic in topics for p in partitions[topic]])
    deadline = time.monotonic() + args.timeout
    while time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is not None and message.error():
            raise KafkaException(message.error())
        if message is not None and message.key() == args.request_id.encode():
            yield message.topic(), decode(args.schema_registry, message.value())


def settled(args):
    """The winner's results in order, and its gaps."""
    completions, lens_results = args.prefix + "completions", args.prefix + "lens-results"
    terminal, parts, gaps, answered = None, {}, [], set()
    missing = "the terminal event"
    for topic, record in records(args, [completions, lens_results]):
        if topic == completions:
            if terminal is None and record["type"] in ("FINISHED", "FAILED", "CANCELLED"):
                terminal = record  # Step 2: the first one stands.
        elif record["gap"]:
            gaps.append(record)
            answered |= {(record["attemptId"], record["lens"], s) for s in record["gap"]["missingSequences"]}
        else:
            chunk = (record["attemptId"], record["lens"], record["sequence"])
            parts.setdefault((*chunk, record["part"]), record)  # Step 3: each part once.
            if all((*chunk, part) in parts for part in range(record["parts"])):
                answered.add(chunk)
        if terminal is None:
            continue
        if terminal["type"] != "FINISHED":
            sys.exit(f"{terminal['type']}: {terminal['failure']}")
        winner, finished = terminal["attemptId"], terminal["finished"]
        missing = set(itertools.product([winner], finished["lenses"], range(finished["chunks"]))) - answered
        if not missing:  # Steps 4 and 5: complete; now by lens, sequence and part.
            return [parts[place] for place in sorted(parts) if place[0] == winner], [
                gap for gap in gaps if gap["attemptId"] == winner]
    sys.exit(f"gave up after {args.timeout:g} s; missing: {missing}")


def rows(result):
    """Step 6: by layer, then position; the first of a row's k tokens is its top one."""
    for row, (layer, position) in enumerate(itertools.product(result["layers"], result["positions"])):
        yield {"attempt": result["attemptId"], "lens": result["lens"], "hookPoint": result["hookPoint"],
               "layer": layer, "position": position,
               "top": result["topTexts"][row * result["topK"]] if result["topK"] else None}


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--bootstrap-servers", default="localhost:9092")
parser.add_argument("--schema-registry", default="http://localhost:8081")
parser.add_argument("--prefix", default="", help="of the topics' names")
parser.add_argument("--timeout", type=float, default=660, help="seconds; the default outlasts a request's deadline")
parser.add_argument("request_id", metavar="REQUEST_ID")
results, lost = settled(parser.parse_args())
for gap in lost:
    print(f"lost under {gap['lens']}: {gap['gap']}", file=sys.stderr)
for row in itertools.chain.from_iterable(map(rows, results)):
    print(json.dumps(row))
