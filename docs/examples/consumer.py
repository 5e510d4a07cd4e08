import functools, io, itertools, json, urllib.request
import confluent_kafka, fastavro

@functools.cache
def schema(id):
    with urllib.request.urlopen(f"http://localhost:8081/schemas/ids/{id}") as answer:
        return fastavro.parse_schema(json.loads(json.load(answer)["schema"]))

consumer = confluent_kafka.Consumer({"bootstrap.servers": "localhost:9092",
                                     "group.id": "reader", "auto.offset.reset": "earliest"})
consumer.subscribe(["lens-results"])
while True:
    message = consumer.poll(1)
    if message is None or message.error():
        continue
    record = message.value()  # a zero byte, the schema's id in four, Avro
    result = fastavro.schemaless_reader(io.BytesIO(record[5:]), schema(int.from_bytes(record[1:5], "big")))
    best = slice(None, None, result["topK"] or 1)  # of each row's k tokens the first
    for (layer, token), top, p in zip(itertools.product(result["layers"], result["tokenTexts"]),
                                      result["topTexts"][best], result["topProbabilities"][best]):
        print(f"layer {layer:2} after {token!r}: {top!r} ({p:.2f})")
