"""A plain PyTorch Llama (pre-norm, RoPE, grouped queries, SwiGLU, tied head), quick on a CPU.

forward() can add steering vectors to the output of one layer's input RMSNorm (the hook point
ATTENTION_INPUT), and returns the hook points that training and evaluation look at.
"""
import torch
import torch.nn.functional as F
from torch import nn

SHAPE = dict(L=8, D=192, H=8, K=4, HD=24, F=512, V=1792, eps=1e-5, theta=10000.0)


class RMSNorm(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))

    def forward(self, x):
        return F.rms_norm(x.float(), (x.shape[-1],), self.weight, SHAPE["eps"])


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        s = SHAPE
        self.norm1, self.norm2 = RMSNorm(s["D"]), RMSNorm(s["D"])
        self.qkv = nn.Linear(s["D"], (s["H"] + 2 * s["K"]) * s["HD"], bias=False)
        self.o = nn.Linear(s["H"] * s["HD"], s["D"], bias=False)
        self.gate_up = nn.Linear(s["D"], 2 * s["F"], bias=False)
        self.down = nn.Linear(s["F"], s["D"], bias=False)

    def forward(self, x, cos, sin, mask, inject):
        s = SHAPE
        b, t, _ = x.shape
        a = self.norm1(x)
        if inject is not None:
            a = a + inject
        q, k, v = self.qkv(a).split([s["H"] * s["HD"], s["K"] * s["HD"], s["K"] * s["HD"]], -1)
        q, k, v = (z.view(b, t, -1, s["HD"]).transpose(1, 2) for z in (q, k, v))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        k, v = (z.repeat_interleave(s["H"] // s["K"], 1) for z in (k, v))
        y = F.scaled_dot_product_attention(q, k, v.to(q.dtype), attn_mask=mask)
        x = x + self.o(y.transpose(1, 2).reshape(b, t, -1))
        g, u = self.gate_up(self.norm2(x)).chunk(2, -1)
        return x + self.down(F.silu(g) * u), a


def rotate(z, cos, sin):
    half = z.shape[-1] // 2
    z1, z2 = z[..., :half], z[..., half:]
    return torch.cat([z1 * cos - z2 * sin, z2 * cos + z1 * sin], -1).to(z.dtype)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        s = SHAPE
        self.embed = nn.Embedding(s["V"], s["D"])
        self.blocks = nn.ModuleList(Block() for _ in range(s["L"]))
        self.norm = RMSNorm(s["D"])
        nn.init.normal_(self.embed.weight, std=0.05)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, std=0.05)
        for b in self.blocks:  # quiet residual writes at the start
            nn.init.normal_(b.o.weight, std=0.01)
            nn.init.normal_(b.down.weight, std=0.01)
        f = s["theta"] ** (-torch.arange(0, s["HD"], 2).float() / s["HD"])
        angle = torch.arange(512).float()[:, None] * f
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def forward(self, ids, mask, inject=None):
        """ids [B,T]; mask bool, True = may look; inject {layer: [B,T,D]}.
        Returns (RESIDUAL_POST of every layer, ATTENTION_INPUT of every layer)."""
        t = ids.shape[1]
        x, post, attn_in = self.embed(ids).float(), [], []
        for i, b in enumerate(self.blocks):
            x, a = b(x, self.cos[:t], self.sin[:t], mask, (inject or {}).get(i))
            post.append(x)
            attn_in.append(a)
        return post, attn_in

    def head(self, h):
        """The (lens) logits of residual rows: final norm, tied head."""
        return F.linear(self.norm(h), self.embed.weight)

    # Hugging Face names <-> ours
    def to_hf(self):
        s, out = SHAPE, {"model.embed_tokens.weight": self.embed.weight, "model.norm.weight": self.norm.weight}
        for i, b in enumerate(self.blocks):
            p = f"model.layers.{i}."
            q, k, v = b.qkv.weight.split([s["H"] * s["HD"], s["K"] * s["HD"], s["K"] * s["HD"]])
            g, u = b.gate_up.weight.chunk(2)
            out |= {p + "self_attn.q_proj.weight": q, p + "self_attn.k_proj.weight": k, p + "self_attn.v_proj.weight": v,
                    p + "self_attn.o_proj.weight": b.o.weight, p + "mlp.gate_proj.weight": g, p + "mlp.up_proj.weight": u,
                    p + "mlp.down_proj.weight": b.down.weight, p + "input_layernorm.weight": b.norm1.weight,
                    p + "post_attention_layernorm.weight": b.norm2.weight}
        return {k: v.detach().to(torch.bfloat16).contiguous() for k, v in out.items()}

    def from_hf(self, t):
        t = {k: v.float() for k, v in t.items()}
        state = {"embed.weight": t["model.embed_tokens.weight"], "norm.weight": t["model.norm.weight"]}
        for i in range(SHAPE["L"]):
            p, o = f"model.layers.{i}.", f"blocks.{i}."
            state |= {o + "qkv.weight": torch.cat([t[p + f"self_attn.{z}_proj.weight"] for z in "qkv"]),
                      o + "o.weight": t[p + "self_attn.o_proj.weight"],
                      o + "gate_up.weight": torch.cat([t[p + "mlp.gate_proj.weight"], t[p + "mlp.up_proj.weight"]]),
                      o + "down.weight": t[p + "mlp.down_proj.weight"], o + "norm1.weight": t[p + "input_layernorm.weight"],
                      o + "norm2.weight": t[p + "post_attention_layernorm.weight"]}
        self.load_state_dict(state)
        return self


def causal(t):
    return torch.ones(t, t, dtype=torch.bool).tril()
