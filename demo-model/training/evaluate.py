"""Measures the demo model: accuracy on held-out wordings, the lens by layer, steering.

python evaluate.py FOLDER            evaluates a saved folder (bf16 weights, float32 arithmetic)
python evaluate.py FOLDER --build    also builds data/*.jsonl and vectors/*.json first
"""
import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

import behaviours
import corpus
from corpus import ASSISTANT, BOS, EOS, USER
from model import SHAPE, Model, causal

ITEMS = {"train": 100, "val": 50, "test": 50}
GRID = [-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5]


def encode(tok, text):
    """Plain text gets BOS from the post-processor, a chat text holds its own."""
    if text.startswith("<|"):
        return tok.encode(text if text.startswith(BOS) else BOS + text, add_special_tokens=False).ids
    return tok.encode(text).ids


@torch.no_grad()
def run(model, rows, inject=None, batch=64):
    """Right-padded forward passes; yields (row index, posts [L,T,D], attention inputs [L,T,D])."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    for at in range(0, len(order), batch):
        part = order[at:at + batch]
        t = max(len(rows[i]) for i in part)
        ids = torch.tensor([rows[i] + [0] * (t - len(rows[i])) for i in part])
        site = None
        if inject:  # {layer: (per row: positions, vector)}
            site = {}
            for layer, per_row in inject.items():
                site[layer] = torch.zeros(len(part), t, SHAPE["D"])
                for j, i in enumerate(part):
                    positions, v = per_row[i]
                    site[layer][j, positions] = v
        post, attn = model(ids, causal(t), site)
        for j, i in enumerate(part):
            yield i, [p[j, :len(rows[i])] for p in post], [a[j, :len(rows[i])] for a in attn]


def completions(model, tok, cases):
    """cases: (prompt, answer). Share answered exactly (greedy, whole answer), and per layer
    the share whose lens has the answer's first token at the top, at the prompt's last row."""
    rows, starts = [], []
    for prompt, answer in cases:
        p, full = encode(tok, prompt), encode(tok, prompt + answer)
        assert full[:len(p)] == p, (prompt, answer)
        rows.append(full)
        starts.append(len(p))
    right, lens = 0, np.zeros(SHAPE["L"])
    for i, post, _ in run(model, rows):
        target, s = torch.tensor(rows[i][starts[i]:]), starts[i] - 1
        right += bool((model.head(post[-1][s:-1]).argmax(-1) == target).all())
        lens += [int(model.head(p[s]).argmax() == target[0]) for p in post]
    return right / len(cases), lens / len(cases)


def fact_cases(relation, held=True):
    out = []
    for i in range(len(corpus.RELATIONS[relation][3])):
        w = corpus.held_wording(relation, i) if held else 0
        prompt, answer, _ = corpus.fact(relation, i, w)
        out.append((prompt, answer))
    return out


def sum_cases():
    return [(f"{a} {op} {b} =", f" {c}") for a, op, b, c in corpus.SUMS if corpus.sum_held(a, op, b)]


def sequence_cases():
    out = [(s, d) for s, d in corpus.number_windows() if corpus.window_held("numbers", s, d)]
    cases = []
    for s, d in out:
        x = corpus.sequence("numbers", s, d, 5)
        cases.append((", ".join(x[:4]) + ",", " " + x[4]))
    for kind, cycle in corpus.CYCLES.items():
        for s in range(len(cycle)):
            x = corpus.sequence(kind, s, 1, 4)
            if corpus.window_held(kind, s, 1) and len(x) == 4:
                cases.append((", ".join(x[:3]) + ",", " " + x[3]))
    return cases


def persona_cases(count=300):
    """Test-split A/B questions under a persona: the letter that the persona wants."""
    rng, out = random.Random("persona"), []
    for n in range(count):
        name, a, side = rng.choice(behaviours.NAMES), n % 2 == 0, rng.choice([0, 1])
        persona = rng.choice(behaviours.BEHAVIOURS[name]["personas"][side])
        q = behaviours.question(rng, name, "test", a)
        letter = "A" if a == (side == 0) else "B"
        if n % 4 < 2:
            out.append((f"{BOS}{corpus.SYSTEM}{persona}{EOS}{USER}{q}{EOS}{ASSISTANT}(", f"{letter})"))
        else:
            out.append((f"{persona}\n\n{q}\n\nAnswer: (", f"{letter})"))
    return out


def pair(tok, item, style):
    """Token ids of the two texts of an item, and the answer position."""
    q, yes, no = item["question"], item["answer_matching_behavior"], item["answer_not_matching_behavior"]
    head = f"{BOS}{USER}{q}{EOS}{ASSISTANT}" if style == "chat" else f"{q}\n\nAnswer:"
    a, b = (encode(tok, head + (x.strip() if style == "chat" else x)) for x in (yes, no))
    at = next(i for i in range(min(len(a), len(b))) if a[i] != b[i])
    return a, b, at


def build(model, tok, items, style="chat"):
    """MEAN_DIFFERENCE, balance LABEL, at ATTENTION_INPUT of every layer: [L,D] in f64, labelShare [L]."""
    pairs = [pair(tok, x, style) for x in items]
    plus = {i: torch.stack([h[pairs[i][2]] for h in a]) for i, _, a in run(model, [p[0] for p in pairs])}
    minus = {i: torch.stack([h[pairs[i][2]] for h in a]) for i, _, a in run(model, [p[1] for p in pairs])}
    order = {True: [], False: []}
    for i, x in enumerate(items):
        order["A" in x["answer_matching_behavior"]].append((plus[i] - minus[i]).double())
    one, two = (torch.stack(order[z]).mean(0) for z in (True, False))
    v, label = (one + two) / 2, (one - two) / 2
    return v, torch.cosine_similarity(v, label, -1).abs()


@torch.no_grad()
def propensities(model, tok, items, style, layer, v, multipliers, positions="last_prompt"):
    """[items, multipliers]: logit(matching letter) - logit(other letter) at row l-1."""
    pairs = [pair(tok, x, style) for x in items]
    out = np.zeros((len(items), len(multipliers)))
    for j, m in enumerate(multipliers):
        where = {"last_prompt": lambda at: [at - 1], "from_label": lambda at: [at - 2, at - 1],
                 "all": lambda at: list(range(at))}[positions]
        inject = {layer: [(where(at), m * v.float()) for _, _, at in pairs]} if m else None
        for i, post, _ in run(model, [a[:at] for a, _, at in pairs], inject):
            a, b, at = pairs[i]
            z = model.head(post[-1][-1])
            out[i, j] = z[a[at]] - z[b[at]]
    return out


def slopes(p, multipliers):
    x = np.array(multipliers) - np.mean(multipliers)
    return (p - p.mean(1, keepdims=True)) @ x / (x @ x)


def steering(model, tok, items, style, layer, v, positions="last_prompt"):
    p = propensities(model, tok, items, style, layer, v, GRID, positions)
    s, a = slopes(p, GRID), np.array(["A" in x["answer_matching_behavior"] for x in items])
    wide = propensities(model, tok, items, style, layer, v, [-2.0, 2.0], positions)
    return {"slope": s.mean(), "std": s.std(), "anti": (s < 0).mean(), "slopeA": s[a].mean(), "slopeB": s[~a].mean(),
            "flip1": ((p[:, 5] > 0) & (p[:, 1] < 0)).mean(), "flip1.5": ((p[:, 6] > 0) & (p[:, 0] < 0)).mean(),
            "flip2": ((wide[:, 1] > 0) & (wide[:, 0] < 0)).mean(), "curve": p.mean(0).round(2).tolist()}


@torch.no_grad()
def generate(model, tok, prompt, layer=None, v=None, m=0.0, positions="from_label", limit=60):
    ids = encode(tok, prompt)
    p, out = len(ids), []
    while len(out) < limit:
        rows = {"from_label": list(range(p - 1, len(ids))), "last_prompt": [p - 1], "all": list(range(len(ids)))}
        inject = {layer: [(rows[positions], m * v.float())]} if m else None
        (_, post, _), = run(model, [ids], inject)
        z = model.head(post[-1][-1])
        out.append(int(z.argmax()))
        ids = ids + out[-1:]
        if out[-1] == tok.token_to_id(EOS):
            break
    return tok.decode(out, skip_special_tokens=False)


@torch.no_grad()
def lens_table(model, tok, prompt, answer):
    """Per layer the top token of the lens at the prompt's last row, its probability, the answer's rank."""
    (_, post, _), = run(model, [encode(tok, prompt)])
    t, out = encode(tok, prompt + answer)[len(encode(tok, prompt))], []
    for p in post:
        z = model.head(p[-1])
        prob = z.softmax(-1)
        out.append((tok.decode([int(z.argmax())]), round(float(prob.max()), 3), 1 + int((z > z[t]).sum()), round(float(prob[t]), 3)))
    return out


def families(model, tok):
    out = {}
    for r in corpus.RELATIONS:
        out[r] = completions(model, tok, fact_cases(r))
    out["sums"] = completions(model, tok, sum_cases())
    out["sequences"] = completions(model, tok, sequence_cases())
    out["persona A/B"] = completions(model, tok, persona_cases())
    return out


def load(folder):
    return Model().from_hf(load_file(folder / "model.safetensors")).eval(), Tokenizer.from_file(str(folder / "tokenizer.json"))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("folder", type=Path)
    p.add_argument("--build", action="store_true")
    args = p.parse_args()
    torch.set_num_threads(2)
    model, tok = load(args.folder)
    print("held-out accuracy (whole answer), then lens top-1 by layer")
    for k, (acc, lens) in families(model, tok).items():
        print(f"{k:12s} {acc:6.3f}  " + " ".join(f"{x:5.2f}" for x in lens))
    for prompt, answer in (("The capital of France is", " Paris"), ("The opposite of hot is", " cold"), ("12 + 7 =", " 19")):
        print(prompt, lens_table(model, tok, prompt, answer))
    for name in behaviours.NAMES:
        data, vector = args.folder / "data" / f"{name}.jsonl", args.folder / "vectors" / f"{name}.json"
        if args.build:
            rows = [x for split, n in ITEMS.items() for x in behaviours.items(name, split, n, 1)]
            data.parent.mkdir(exist_ok=True)
            data.write_text("".join(json.dumps(x) + "\n" for x in rows))
        rows = [json.loads(x) for x in data.read_text().splitlines()]
        train, val, test = rows[:100], rows[100:150], rows[150:]
        if args.build:
            v, share = build(model, tok, train)
            few = [-1.0, 0.0, 1.0]
            found = [slopes(propensities(model, tok, val, "chat", i, v[i], few), few).mean() for i in range(SHAPE["L"])]
            print(name, "val slope by layer", " ".join(f"{f:.2f}" for f in found), flush=True)
            best = int(np.argmax(found))
            print(f"  layer {best} norm {v[best].norm():.3f} labelShare {share[best]:.3f}")
            vector.parent.mkdir(exist_ok=True)
            vector.write_text(json.dumps({
                "name": name, "model": "lensflow-demo", "layer": best, "hookPoint": "ATTENTION_INPUT",
                "method": "MEAN_DIFFERENCE", "dataset": f"data/{name}.jsonl", "pairCount": len(train),
                "norm": float(v[best].norm()), "values": [float(x) for x in v[best].float()]}) + "\n")
        w = json.loads(vector.read_text())
        v = torch.tensor(w["values"])
        for style in ("chat", "plain"):
            for positions in ("last_prompt", "from_label"):
                r = steering(model, tok, test, style, w["layer"], v, positions)
                print(f"  test {style:5s} {positions:11s} layer {w['layer']} slope {r['slope']:.2f} ± {r['std']:.2f} (A {r['slopeA']:.2f} B {r['slopeB']:.2f}) "
                      f"anti {r['anti']:.2f} flips at 1/1.5/2: {r['flip1']:.2f} {r['flip1.5']:.2f} {r['flip2']:.2f} {r['curve']}", flush=True)
        noise = torch.randn(len(v), generator=torch.Generator().manual_seed(1))
        r = steering(model, tok, test, "chat", w["layer"], noise / noise.norm() * v.norm())
        print(f"  control: random vector of that norm: slope {r['slope']:.2f} flips {r['flip1.5']:.2f}", flush=True)


if __name__ == "__main__":
    main()
