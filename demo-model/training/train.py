"""Trains the Lensflow demo model from its seed: tokenizer, corpus, model, Hugging Face folder.

    python train.py OUT [--seed 1]

Two stages: the first at a constant rate, the second with rates that fall to zero, which is when sums and A/B
questions settle.
Two additions to plain next-token training, both small and both told in the README:
* lens loss, one random layer per step: at the LENS layers the logit lens shall already show the next
  token, and at the ECHO layers still the input token. Without the latter so small a model
  answers facts in its first layer; with it answers form in the middle layers, as they do in large models;
* probe loss: a linear probe per behaviour on ATTENTION_INPUT of the PROBE layers reads which persona
  answers, at the bracket before the letter and at the letter, with one set of weights for both:
  so that what a persona writes and what an answer shows lie along a common direction.
"""
import argparse
import json
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

import corpus
import evaluate
from behaviours import NAMES
from corpus import BOS, EOS, SPECIAL
from model import SHAPE, Model

T, SHARD = 256, 6000
STAGES = (
    # warm: steps of warm-up; fall: the last share of the steps, over which the rates fall to zero
    dict(seed="", batch=16, steps=700, warm=50, fall=0.0, muon=0.02, adam=4e-3,
         echo=(0, 1), lens=(4, 5, 6), lens_weight=0.15, every=2, probe=(3, 4)),
    dict(seed="stage2:", batch=16, steps=260, warm=10, fall=1.0, muon=0.015, adam=3e-3,
         echo=(0, 1), lens=(4, 5, 6), lens_weight=0.1, every=2, probe=(3, 4)),
)
PROBE_WEIGHT = 0.05
MARK_WEIGHT = 4.0  # one token in fifty decides an A/B answer or a sum

TEMPLATE = ("{{ '<|bos|>' }}{% for m in messages %}{{ '<|' + m['role'] + '|>' + (m['content'] | trim) + '<|eos|>' }}"
            "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}")


def make_tokenizer(seed):
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tok.decoder = decoders.ByteLevel()
    texts = [t for t, _ in corpus.documents(f"{seed}:tokenizer", 30000)]
    for s in SPECIAL:
        texts = [t.replace(s, "\x00") for t in texts]
    # Numbers and facts count more than their share, so that answers are single tokens.
    texts += [" ".join(f" {i}, {i}" for i in range(101))] * 250
    texts += [f" {x} {e} {x}" for r in corpus.RELATIONS.values() for e, x in r[3]] * 300
    trainer = trainers.BpeTrainer(vocab_size=SHAPE["V"], special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tok.train_from_iterator((p for t in texts for p in t.split("\x00")), trainer)
    tok.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B", special_tokens=[(BOS, tok.token_to_id(BOS))])
    assert tok.get_vocab_size() == SHAPE["V"]
    return tok


def batches(tok, seed, stage):
    """Endless batches: ids, document numbers, and the marks as (row, position, behaviour, sign, decided)."""
    shard, rows, open_rows = 0, [], [([], [], []) for _ in range(8)]
    while True:
        docs = corpus.documents(f"{seed}:{stage['seed']}{shard}", SHARD)
        shard += 1
        for n, ((_, mk), e) in enumerate(zip(docs, tok.encode_batch([d[0] for d in docs], add_special_tokens=False))):
            if len(e.ids) > T:
                continue
            home = next((r for r in open_rows if len(r[0]) + len(e.ids) <= T), None)
            if home is None:  # documents are never cut: close the fullest row, the rest of it is padding
                full = max(open_rows, key=lambda r: len(r[0]))
                pad = T - len(full[0])
                rows.append((full[0] + [0] * pad, full[1] + [-1] * pad, full[2]))
                open_rows.remove(full)
                home = ([], [], [])
                open_rows.append(home)
            home[2].extend((len(home[0]) + e.char_to_token(at), k, sign, sure) for at, k, sign, sure in mk)
            home[0].extend(e.ids)
            home[1].extend([n] * len(e.ids))
        while len(rows) >= stage["batch"]:
            part, rows = rows[:stage["batch"]], rows[stage["batch"]:]
            flat = [(r, *m) for r, (_, _, mk) in enumerate(part) for m in mk]
            yield torch.tensor([r[0] for r in part]), torch.tensor([r[1] for r in part]), torch.tensor(flat)


def save(model, tok, out):
    out.mkdir(parents=True, exist_ok=True)
    save_file(model.to_hf(), out / "model.safetensors", metadata={"format": "pt"})
    tok.save(str(out / "tokenizer.json"))
    bos, eos, s = tok.token_to_id(BOS), tok.token_to_id(EOS), SHAPE
    config = {"architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
              "bos_token_id": bos, "eos_token_id": eos, "head_dim": s["HD"], "hidden_act": "silu", "hidden_size": s["D"],
              "initializer_range": 0.02, "intermediate_size": s["F"], "max_position_embeddings": 512, "mlp_bias": False,
              "model_type": "llama", "num_attention_heads": s["H"], "num_hidden_layers": s["L"],
              "num_key_value_heads": s["K"], "pretraining_tp": 1, "rms_norm_eps": s["eps"], "rope_scaling": None,
              "rope_theta": s["theta"], "tie_word_embeddings": True, "torch_dtype": "bfloat16", "use_cache": True,
              "vocab_size": s["V"]}
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (out / "generation_config.json").write_text(json.dumps(
        {"bos_token_id": bos, "eos_token_id": eos, "do_sample": False, "max_new_tokens": 64}, indent=2) + "\n")
    added = {str(tok.token_to_id(x)): {"content": x, "lstrip": False, "normalized": False, "rstrip": False,
                                       "single_word": False, "special": True} for x in SPECIAL}
    (out / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": BOS, "eos_token": EOS, "pad_token": EOS,
         "added_tokens_decoder": added, "clean_up_tokenization_spaces": False, "model_max_length": 512,
         "chat_template": TEMPLATE}, indent=2) + "\n")


def train(model, tok, seed, stage):
    s, began = stage, time.time()
    probe = torch.zeros(len(NAMES), SHAPE["D"], requires_grad=True)
    matrices = [q for n, q in model.named_parameters() if q.ndim == 2 and "embed" not in n]
    others = [q for n, q in model.named_parameters() if q.ndim == 1] + [model.embed.weight]
    # Muon learns the matrices in about half the steps of AdamW.
    muon = torch.optim.Muon(matrices, lr=s["muon"], momentum=0.95, weight_decay=0.01)
    adam = torch.optim.AdamW([{"params": others, "lr": s["adam"]}, {"params": [probe], "lr": 1e-2}],
                             betas=(0.9, 0.95), weight_decay=0.0)
    rates = [[g["lr"] for g in o.param_groups] for o in (muon, adam)]
    fast, tri = torch.compile(model), torch.ones(T, T, dtype=torch.bool).tril()
    for step, (ids, number, marks) in enumerate(batches(tok, seed, s), 1):
        scale = min(1.0, step / s["warm"])
        if s["fall"]:
            scale = min(scale, (1 - step / s["steps"]) / s["fall"] + 0.01)
        for o, r in zip((muon, adam), rates):
            for g, lr in zip(o.param_groups, r):
                g["lr"] = lr * scale
        mask = ((number[:, :, None] == number[:, None, :]) & tri)[:, None]
        weight = (number[:, 1:] == number[:, :-1]).float() * (number[:, 1:] >= 0)
        row, at, kind, sign, sure = marks.T
        weight[row[sure == 1], at[sure == 1] - 1] = MARK_WEIGHT
        keep = weight > 0
        target, weight = ids[:, 1:][keep], weight[keep]
        with torch.autocast("cpu", torch.bfloat16):
            post, attn = fast(ids, mask)
            nll = lambda layer, y, part: (F.cross_entropy(
                model.head(post[layer][:, :-1][keep][part]).float(), y[part], reduction="none")
                * weight[part]).sum() / weight[part].sum()
            loss = last = nll(-1, target, slice(None))
            for layers, y in ((s["echo"], ids[:, :-1][keep]), (s["lens"], target)):
                if layers:  # on every row, or to be quick on every fourth
                    layer = layers[torch.randint(len(layers), ()).item()]
                    loss = loss + s["lens_weight"] * nll(layer, y, slice(step % s["every"], None, s["every"]))
        row, at, kind, sign, sure = marks[marks[:, 2] >= 0].T
        for layer in s["probe"]:
            letter = (attn[layer][row, at] * probe[kind]).sum(-1)
            bracket = (attn[layer][row, at - 1] * probe[kind]).sum(-1)[sure == 1]
            loss = loss + PROBE_WEIGHT * (F.softplus(-sign * letter).mean() + F.softplus(-sign[sure == 1] * bracket).mean())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for o in (muon, adam):
            o.step()
            o.zero_grad()
        if step % 25 == 0:
            print(f"{step} loss {last.item():.4f} all {loss.item():.4f} {time.time() - began:.0f}s", flush=True)
        if step == s["steps"]:
            return


def main():
    p = argparse.ArgumentParser()
    p.add_argument("out", type=Path)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--stages", type=int, default=len(STAGES))
    args = p.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    tok, model = make_tokenizer(args.seed), Model()
    for number, stage in enumerate(STAGES[:args.stages]):
        if number:
            torch.manual_seed(args.seed + number)  # so that a stage can be repeated by itself
        train(model, tok, args.seed, stage)
        save(model, tok, args.out)
        model, tok = evaluate.load(args.out)  # the next stage starts from the rounded weights
        for name, (acc, lens) in evaluate.families(model, tok).items():
            print(f"  {name:12s} {acc:5.2f}  " + " ".join(f"{x:4.2f}" for x in lens), flush=True)


if __name__ == "__main__":
    main()
