"""Makes the golden checkpoints of this folder: tiny random models, and what transformers computes with them.

    python make_golden.py            # writes every checkpoint and rotary.json beside this script
    python make_golden.py llama-tp   # writes one checkpoint

Each folder holds a checkpoint as a user would have it (config.json in one of the layouts in use, weights in a
storage type in use) and golden.safetensors: prompt_ids, greedy_ids, and over the rows of prompt + generated - 1
the logits and all seven hook points, computed by transformers in float32 from the checkpoint as it lies there.
transformers reads the same config.json that the tests read, so it also decides what the file means.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

HERE = Path(__file__).parent
SEED = 20250711
# A golden whose winner is closer than this to the second says nothing about greedy decoding.
CLEAR_GAP = 0.02

LLAMA3 = {
    "rope_type": "llama3",
    "factor": 4.0,
    "low_freq_factor": 0.5,
    "high_freq_factor": 2.0,
    # Of the eight frequencies of a head of 16 with theta 100, two are kept, two blended, four slowed.
    "original_max_position_embeddings": 16,
}

# name -> what it is there for, config.json, storage, shards, generation_config.json, (prompt, generated) cases
CHECKPOINTS = {
    "llama-bias": {
        "purpose": "biases on every projection; as many key/value heads as query heads, by leaving the field out; "
        "null head_dim and rope_scaling; odd vocabulary; old layout; F32",
        "config": {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": 36,
            "intermediate_size": 54,
            "num_attention_heads": 3,
            "num_hidden_layers": 2,
            "head_dim": None,
            "vocab_size": 131,
            "max_position_embeddings": 64,
            "rms_norm_eps": 1e-5,
            "rope_theta": 500.0,
            "rope_scaling": None,
            "attention_bias": True,
            "mlp_bias": True,
            "pretraining_tp": 1,
            "hidden_act": "silu",
            "eos_token_id": 2,
            "tie_word_embeddings": False,
            "torch_dtype": "float32",
        },
        "storage": torch.float32,
        "cases": [(6, 6), (1, 3)],
    },
    "llama-mqa": {
        "purpose": "one key/value head; llama3 scaling with positions beyond the original context; tied; several "
        "end ids in generation_config.json; new layout; BF16",
        "config": {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": 40,
            "intermediate_size": 68,
            "num_attention_heads": 4,
            "num_key_value_heads": 1,
            "head_dim": 16,
            "num_hidden_layers": 2,
            "vocab_size": 97,
            "max_position_embeddings": 64,
            "rms_norm_eps": 1e-5,
            "rope_parameters": {"rope_theta": 100.0, **LLAMA3},
            "hidden_act": "silu",
            "eos_token_id": 2,
            "tie_word_embeddings": True,
            "dtype": "bfloat16",
        },
        "generation": {"eos_token_id": [2, 5, 7]},
        "storage": torch.bfloat16,
        "cases": [(17, 6)],
    },
    "llama-tp": {
        "purpose": "8 query and 4 key/value heads for 1, 2 and 4 ranks, with biases that only one rank may add and a "
        "vocabulary that no rank count divides; llama3 scaling in the old layout; untied; two shards; BF16",
        "config": {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": 64,
            "intermediate_size": 88,
            "num_attention_heads": 8,
            "num_key_value_heads": 4,
            "num_hidden_layers": 2,
            "vocab_size": 149,
            "max_position_embeddings": 64,
            "rms_norm_eps": 1e-6,
            "rope_theta": 100.0,
            "rope_scaling": LLAMA3,
            "attention_bias": True,
            "mlp_bias": True,
            "hidden_act": "silu",
            "eos_token_id": [2, 5],
            "tie_word_embeddings": False,
            "torch_dtype": "bfloat16",
        },
        "storage": torch.bfloat16,
        "shards": 2,
        "cases": [(7, 6)],
    },
    "qwen3": {
        "purpose": "query/key norm; head_dim other than hidden_size over heads; 8 query and 4 key/value heads; tied; "
        "new layout; BF16",
        "config": {
            "architectures": ["Qwen3ForCausalLM"],
            "model_type": "qwen3",
            "hidden_size": 48,
            "intermediate_size": 76,
            "num_attention_heads": 8,
            "num_key_value_heads": 4,
            "head_dim": 10,
            "num_hidden_layers": 2,
            "vocab_size": 103,
            "max_position_embeddings": 64,
            "rms_norm_eps": 1e-6,
            "rope_parameters": {"rope_theta": 1000.0, "rope_type": "default"},
            "attention_bias": False,
            "use_sliding_window": False,
            "sliding_window": None,
            "hidden_act": "silu",
            "eos_token_id": 3,
            "tie_word_embeddings": True,
            "dtype": "bfloat16",
        },
        "storage": torch.bfloat16,
        "cases": [(7, 6)],
    },
    "qwen3-window": {
        "purpose": "query/key norm and biases, o_proj's too; full attention in one layer and a sliding window of 6 in "
        "the others, as layer_types says; one case inside the window and one beyond; untied; F32",
        "config": {
            "architectures": ["Qwen3ForCausalLM"],
            "model_type": "qwen3",
            "hidden_size": 32,
            "intermediate_size": 44,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 12,
            "num_hidden_layers": 3,
            "vocab_size": 59,
            "max_position_embeddings": 64,
            "rms_norm_eps": 1e-6,
            "rope_parameters": {"rope_theta": 1000.0, "rope_type": "default"},
            "attention_bias": True,
            "use_sliding_window": True,
            "sliding_window": 6,
            "layer_types": ["full_attention", "sliding_attention", "sliding_attention"],
            "hidden_act": "silu",
            "tie_word_embeddings": False,
            "dtype": "float32",
        },
        "storage": torch.float32,
        "cases": [(3, 4), (9, 5)],
    },
    "qwen2": {
        "purpose": "biases on query, key and value alone; a window that use_sliding_window turns off; two key/value "
        "heads; tied; old layout; F16",
        "config": {
            "architectures": ["Qwen2ForCausalLM"],
            "model_type": "qwen2",
            "hidden_size": 48,
            "intermediate_size": 72,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "num_hidden_layers": 2,
            "vocab_size": 101,
            "max_position_embeddings": 64,
            "rms_norm_eps": 1e-6,
            "rope_theta": 1000.0,
            "use_sliding_window": False,
            "sliding_window": 4,
            "max_window_layers": 1,
            "hidden_act": "silu",
            "eos_token_id": 3,
            "tie_word_embeddings": True,
            "torch_dtype": "float16",
        },
        "storage": torch.float16,
        "cases": [(7, 6)],
    },
    "mistral-window": {
        "purpose": "a sliding window of 8 in all layers, one case inside it and one beyond; head_dim other than "
        "hidden_size over heads; rope_scaling of type default; untied; old layout; F16",
        "config": {
            "architectures": ["MistralForCausalLM"],
            "model_type": "mistral",
            "hidden_size": 40,
            "intermediate_size": 60,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 14,
            "num_hidden_layers": 2,
            "vocab_size": 83,
            "max_position_embeddings": 64,
            "rms_norm_eps": 1e-5,
            "rope_theta": 1000.0,
            "rope_scaling": {"type": "default"},
            "sliding_window": 8,
            "hidden_act": "silu",
            "eos_token_id": 2,
            "tie_word_embeddings": False,
            "torch_dtype": "float16",
        },
        "storage": torch.float16,
        "cases": [(4, 5), (13, 6)],
    },
}


# Rotary embeddings of models in use: name -> (head size, rope_parameters).
ROTARY = {
    "Llama-2": (128, {"rope_type": "default", "rope_theta": 10000.0}),
    "Llama-3.1": (128, {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
                        "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}),
    "Llama-3.2": (64, {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0,
                       "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}),
    "SmolLM2": (64, {"rope_type": "default", "rope_theta": 100000.0}),
    "Qwen3": (128, {"rope_type": "default", "rope_theta": 1000000.0}),
    "tiny": (16, {"rope_theta": 100.0, **LLAMA3}),
}


def random_weights(model, storage, generator):
    """Values for which every part matters: norm weights far from 1, biases as large as what they are added to."""
    weights = {}
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if name.endswith("norm.weight"):
            value = 1 + 0.4 * noise
        elif name.endswith("bias"):
            value = 0.4 * noise
        elif "embed_tokens" in name:
            # Small, or a model with a tied head only repeats what it read.
            value = 0.25 * noise
        elif "q_proj" in name or "k_proj" in name:
            # Scores of a few units, so that attention chooses and a wrong angle or mask shows.
            value = 1.6 * noise / parameter.shape[1] ** 0.5
        else:
            value = noise / parameter.shape[1] ** 0.5
        weights[name] = value.to(storage)
    return weights


def write_weights(folder, weights, shards):
    metadata = {"format": "pt"}
    if shards == 1:
        save_file(weights, folder / "model.safetensors", metadata)
        return
    names = list(weights)
    weight_map = {}
    for shard in range(shards):
        file = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        # Interleaved, so that the tensors of one layer lie in several files.
        part = {name: weights[name] for name in names[shard::shards]}
        save_file(part, folder / file, metadata)
        weight_map.update(dict.fromkeys(part, file))
    total = sum(tensor.numel() * tensor.element_size() for tensor in weights.values())
    write_json(
        folder / "model.safetensors.index.json",
        {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))},
    )


def write_tokenizer(folder, vocabulary_size):
    """Words w0, w1, ... with their own numbers as ids."""
    tokenizer = {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": {
            "type": "WordLevel",
            "unk_token": "w0",
            "vocab": {f"w{i}": i for i in range(vocabulary_size)},
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, separators=(",", ":")) + "\n")


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1) + "\n")


def hook_points(model, ids):
    """Logits [N, V] and {hook point: [L, N, D]} of a sequence."""
    rows = {}
    handles = []

    def keep(point, tensor):
        rows.setdefault(point, []).append(tensor[0].detach().clone())

    for layer in model.model.layers:
        handles += [
            layer.register_forward_pre_hook(
                lambda _, args, kwargs: keep("residual_pre", args[0] if args else kwargs["hidden_states"]),
                with_kwargs=True,
            ),
            layer.input_layernorm.register_forward_hook(lambda _, args, out: keep("attention_input", out)),
            layer.self_attn.register_forward_hook(lambda _, args, out: keep("attention_output", out[0])),
            layer.post_attention_layernorm.register_forward_pre_hook(lambda _, args: keep("residual_mid", args[0])),
            layer.post_attention_layernorm.register_forward_hook(lambda _, args, out: keep("mlp_input", out)),
            layer.mlp.register_forward_hook(lambda _, args, out: keep("mlp_output", out)),
            layer.register_forward_hook(
                lambda _, args, out: keep("residual_post", out[0] if isinstance(out, tuple) else out)
            ),
        ]
    try:
        logits = model(ids[None], use_cache=False).logits[0]
    finally:
        for handle in handles:
            handle.remove()
    return logits, {point: torch.stack(layers) for point, layers in rows.items()}


def greedy(model, prompt, count):
    """Generated ids, and by how much the closest call was won."""
    ids = prompt
    gap = float("inf")
    for _ in range(count):
        top = model(ids[None], use_cache=False).logits[0, -1].topk(2)
        gap = min(gap, (top.values[0] - top.values[1]).item())
        ids = torch.cat([ids, top.indices[:1]])
    return ids[len(prompt) :], gap


def make(name):
    spec = CHECKPOINTS[name]
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    config = spec["config"]
    write_json(folder / "config.json", config)
    if "generation" in spec:
        write_json(folder / "generation_config.json", spec["generation"])
    write_tokenizer(folder, config["vocab_size"])
    generator = torch.Generator().manual_seed(SEED + list(CHECKPOINTS).index(name))
    empty = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    write_weights(folder, random_weights(empty, spec["storage"], generator), spec.get("shards", 1))

    model, loading = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    problems = {key: value for key, value in loading.items() if value}
    if problems:
        raise SystemExit(f"{name}: transformers reads it otherwise: {problems}")
    golden = {}
    cases = []
    for number, (prompt_length, count) in enumerate(spec["cases"]):
        case = f"case{number}"
        while True:
            prompt = torch.randint(config["vocab_size"], (prompt_length,), generator=generator)
            generated, gap = greedy(model, prompt, count)
            if gap > CLEAR_GAP and len(generated.unique()) > count // 2:
                break
        logits, rows = hook_points(model, torch.cat([prompt, generated[:-1]]))
        golden[f"{case}.prompt_ids"] = prompt
        golden[f"{case}.greedy_ids"] = generated
        golden[f"{case}.logits"] = logits
        golden.update({f"{case}.{point}": tensor for point, tensor in rows.items()})
        window = config.get("sliding_window") if config.get("use_sliding_window", True) else None
        cases.append(
            {
                "case": case,
                "text": " ".join(f"w{i}" for i in prompt.tolist()),
                "prompt_tokens": prompt_length,
                "greedy_tokens": count,
                "outgrows_window": window is not None and len(logits) > window,
                "smallest_gap": round(gap, 4),
            }
        )
    save_file({key: value.contiguous() for key, value in golden.items()}, folder / "golden.safetensors")
    write_json(
        folder / "golden.json",
        {
            "model": name,
            "purpose": spec["purpose"],
            "made_by": "make_golden.py",
            "seed": SEED + list(CHECKPOINTS).index(name),
            "transformers": transformers.__version__,
            "torch": torch.__version__.split("+")[0],
            "arithmetic": "float32, attn_implementation eager, no cache",
            "cases": cases,
        },
    )
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{name}: {size / 1e3:.0f} KB, smallest gaps {[case['smallest_gap'] for case in cases]}")


def make_rotary():
    """Inverse frequencies to the bit: float32 values, written as the doubles that they are."""
    models = []
    for name, (head_size, parameters) in ROTARY.items():
        config = LlamaConfig(
            hidden_size=2 * head_size,
            num_attention_heads=2,
            head_dim=head_size,
            max_position_embeddings=131072,
            rope_parameters=dict(parameters),
        )
        frequencies = LlamaRotaryEmbedding(config).inv_freq.double().tolist()
        models.append({"model": name, "head_dim": head_size, **parameters, "inverse_frequencies": frequencies})
    (HERE / "rotary.json").write_text(
        "[\n" + ",\n".join(json.dumps(model) for model in models) + "\n]\n"
    )


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    if len(sys.argv) == 1:
        make_rotary()
    for checkpoint in sys.argv[1:] or CHECKPOINTS:
        make(checkpoint)
