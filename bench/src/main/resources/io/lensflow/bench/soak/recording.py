"""Raw records of the topics, copied to files so that they can be judged, kept and judged again.

A file holds records one after the other: a fixed head (partition, offset, timestamp in ms, lengths of key, value
and headers; -1 is null), then the key, the headers as JSON and the value as they came. Schemas lie beside them.
"""
import contextlib
import functools
import io
import json
import pathlib
import struct
import time
import urllib.error
import urllib.request
from typing import NamedTuple

from fastavro import parse_schema, schemaless_reader, schemaless_writer

TOPICS = ("prompt-requests", "completions", "activations", "lens-results", "dead-letters")
HEAD = struct.Struct("<iqqiii")
PATIENCE_S = 60


class Raw(NamedTuple):
    """A record as the broker has it."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    headers: dict
    value: bytes | None

    def request(self):
        return self.headers.get("lf-request", "")


def save(file, raw):
    """Appends a record to an open file."""
    headers = json.dumps(raw.headers).encode()
    file.write(HEAD.pack(raw.partition, raw.offset, raw.timestamp, length(raw.key), length(raw.value), len(headers)))
    file.write((raw.key or b"") + headers + (raw.value or b""))


def length(value):
    return -1 if value is None else len(value)


class Recording:
    """A folder with records of all topics; those of a partition, and so of a request, are in its order."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.schemas = json.loads((self.folder / "schemas.json").read_text())

    def file(self, topic):
        return self.folder / f"{topic}.records"

    def read(self, topic):
        """Every record of a topic."""
        with open(self.file(topic), "rb") as file:
            while head := file.read(HEAD.size):
                partition, offset, timestamp, key, value, headers = HEAD.unpack(head)
                yield Raw(partition, offset, timestamp, part(file, key), json.loads(file.read(headers)), part(file, value))

    def by_request(self, topic):
        """Of each request the places of its records in the file: values are read when they are wanted."""
        places = {}
        with open(self.file(topic), "rb") as file:
            while head := file.read(HEAD.size):
                place = file.tell() - HEAD.size
                *_, key, value, headers = HEAD.unpack(head)
                file.seek(max(key, 0), io.SEEK_CUR)
                request = json.loads(file.read(headers)).get("lf-request", "")
                file.seek(max(value, 0), io.SEEK_CUR)
                places.setdefault(request, []).append(place)
        return places

    def values(self, topic, places):
        """The decoded values at these places."""
        with open(self.file(topic), "rb") as file:
            for place in places:
                file.seek(place)
                _, _, _, key, value, headers = HEAD.unpack(file.read(HEAD.size))
                file.seek(max(key, 0) + headers, io.SEEK_CUR)
                yield self.decode(part(file, value))

    @functools.cache
    def schema(self, schema_id):
        return parse_schema(json.loads(self.schemas[str(schema_id)]))

    def decode(self, value):
        """Confluent's wire format: a zero byte, the schema's id in four bytes, Avro."""
        return schemaless_reader(io.BytesIO(value[5:]), self.schema(int.from_bytes(value[1:5], "big")))

    def encode(self, record, like):
        """The same in reverse, under the schema of another value."""
        out = io.BytesIO()
        schemaless_writer(out, self.schema(int.from_bytes(like[1:5], "big")), record)
        return like[:5] + out.getvalue()


def part(file, size):
    return None if size < 0 else file.read(size)


def record(folder, servers, registry, prefix):
    """Copies all topics to their ends as they are now."""
    from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition  # to judge it is not needed

    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "not-used", "enable.auto.commit": False,
                         "isolation.level": "read_committed", "enable.partition.eof": True})
    topics = {prefix + topic: topic for topic in TOPICS}
    open_ones = {(name, partition) for name in topics
                 for partition in consumer.list_topics(name, timeout=10).topics[name].partitions}
    consumer.assign([TopicPartition(name, partition, 0) for name, partition in open_ones])
    ids, deadline = set(), time.monotonic() + PATIENCE_S
    with contextlib.ExitStack() as stack:
        files = {name: stack.enter_context(open(folder / f"{topic}.records", "wb")) for name, topic in topics.items()}
        while open_ones:
            message = consumer.poll(1.0)
            if message is None:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"these partitions do not come to their ends: {open_ones}")
                continue
            deadline = time.monotonic() + PATIENCE_S
            if message.error() and message.error().code() == KafkaError._PARTITION_EOF:
                open_ones.discard((message.topic(), message.partition()))
            elif message.error():
                raise KafkaException(message.error())
            else:
                headers = {k: v.decode("utf-8", "replace") for k, v in message.headers() or [] if v is not None}
                value = message.value()
                save(files[message.topic()], Raw(message.partition(), message.offset(), message.timestamp()[1],
                                                 message.key(), headers, value))
                if value is not None and value[:1] == b"\0" and len(value) > 5:
                    ids.add(int.from_bytes(value[1:5], "big"))
    consumer.close()
    schemas = {schema_id: text for schema_id in ids if (text := schema_text(registry, schema_id))}
    (folder / "schemas.json").write_text(json.dumps(schemas))


def schema_text(registry, schema_id):
    """A schema as the registry has it; None for an id that only a broken record names."""
    try:
        with urllib.request.urlopen(f"{registry}/schemas/ids/{schema_id}", timeout=10) as answer:
            return json.load(answer)["schema"]
    except urllib.error.HTTPError as e:
        if e.code == 404:
            return None
        raise
