"""Makes vectors.json: what a sampler must choose. Plain Python, no packages; written from the definition, not from
the Java code.

A choice at a position: repetition penalty over the tokens before (positive logits divided by it, others multiplied),
temperature, top-k, top-p (the fewest likeliest tokens whose share of what top-k left reaches it), min-p (share of the
likeliest), then the first token, by falling probability and rising id, whose cumulative probability exceeds u.
u = top 24 bits of the first word of Philox4x32-10 / 2^24; key = seed, counter = position (low words first).
Temperature 0 takes the greatest logit after the penalty, the lowest id of equal ones.

Logits are multiples of 1/64, so that they are the same in float32 and as decimals. Where rounding could decide (a
boundary closer than 1e-5), a case is not taken.
"""

import json
import math
import random

MARGIN = 1e-5


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


assert philox([0, 0, 0, 0], [0, 0]) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def uniform(seed, position):
    seed &= 0xFFFFFFFFFFFFFFFF
    word = philox([position & 0xFFFFFFFF, position >> 32, 0, 0], [seed & 0xFFFFFFFF, seed >> 32])[0]
    return (word >> 8) / 2**24


class Undecided(Exception):
    pass


def beyond(a, b):
    """a > b, where rounding cannot decide otherwise."""
    if abs(a - b) < MARGIN:
        raise Undecided
    return a > b


def choose(case):
    logits = list(case["logits"])
    penalty = case["repetitionPenalty"]
    for i in set(case["before"]):
        logits[i] = logits[i] / penalty if logits[i] > 0 else logits[i] * penalty
    ranked = sorted(range(len(logits)), key=lambda i: (-logits[i], i))
    for a, b in zip(ranked, ranked[1:]):
        if 0 < logits[a] - logits[b] < MARGIN:
            raise Undecided
    if case["temperature"] == 0:
        return ranked[0]
    if case["topK"]:
        ranked = ranked[: case["topK"]]
    weights = [math.exp((logits[i] - logits[ranked[0]]) / case["temperature"]) for i in ranked]
    if case["topP"] < 1:
        shares = [w / sum(weights) for w in weights]
        kept, cumulative = 0, 0.0
        while kept < len(ranked) and (cumulative == 0 or not beyond(cumulative, case["topP"])):
            cumulative += shares[kept]
            kept += 1
        ranked, weights = ranked[:kept], weights[:kept]
    if case["minP"] > 0:
        kept = sum(1 for w in weights if beyond(w, case["minP"] * weights[0]))
        ranked, weights = ranked[:kept], weights[:kept]
    cumulative = 0.0
    for i, w in zip(ranked, weights):
        cumulative += w / sum(weights)
        if i == ranked[-1] or beyond(cumulative, case["u"]):
            return i


def draw(source):
    v = source.choice([5, 17, 64, 100])
    logits = [source.randrange(-512, 513) / 64 for _ in range(v)]
    if source.random() < 0.3:
        logits[source.randrange(v)] = max(logits)
    seed = source.choice([0, 1, 42, -1, 2**63 - 1, -(2**63), source.getrandbits(63), source.getrandbits(32)])
    position = source.choice([0, 1, 7, source.randrange(4096), source.randrange(2**31)])
    return {
        "logits": logits,
        "before": [source.randrange(v) for _ in range(source.randrange(6))],
        "temperature": source.choice([0, 0.5, 1, 1, 1.5, 2]),
        "topK": source.choice([0, 0, 1, 3, 8]),
        "topP": source.choice([1, 1, 0.25, 0.5, 0.9375]),
        "minP": source.choice([0, 0, 0.0625, 0.25]),
        "repetitionPenalty": source.choice([1, 1, 1.25, 2, 0.5]),
        "seed": str(seed),
        "position": position,
        "u": uniform(seed, position),
    }


def main():
    source = random.Random(4)
    cases = []
    while len(cases) < 120:
        case = draw(source)
        try:
            case["token"] = choose(case)
        except Undecided:
            continue
        cases.append(case)
    with open("vectors.json", "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


main()
