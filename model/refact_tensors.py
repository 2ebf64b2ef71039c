"""Which tensors of published files hold the weights of a Refact network.

`transformer.h.N.attn.kv` and `mlp.gate_up_proj` are fused in the published checkpoint; an older one and GGUF files hold
the two halves of each.
"""

from __future__ import annotations

from collections.abc import Container

from stackfim.model.refact import Refact
from stackfim.model.refact_config import RefactConfig
from stackfim.model.tensor_rows import Rows, TensorRows, parameter_shapes, whole_tensor


def published_tensors(config: RefactConfig, names: Container[str]) -> TensorRows:
    """The rows that make each parameter, in a checkpoint with tensors of these `names`: as published, or older."""
    width, head, inner = config.n_embd, config.head_size, config.mlp_size
    rows = {}
    for name, shape in parameter_shapes(lambda: Refact(config)).items():
        rows[name] = [whole_tensor(name, shape)]
        block, _, part = name.rpartition("attn.")
        if part == "kv.weight" and f"{block}attn.k.weight" in names:
            rows[name] = [whole_tensor(f"{block}attn.{half}.weight", (head, width)) for half in ("k", "v")]
        block, _, part = name.rpartition("mlp.")
        if part == "gate_up_proj.weight" and f"{block}mlp.linear_1.weight" in names:
            halves = ("linear_1", "linear_3")
            rows[name] = [whole_tensor(f"{block}mlp.{half}.weight", (inner, width)) for half in halves]
    return rows


def gguf_tensors(config: RefactConfig, names: Container[str]) -> TensorRows:
    """The rows that make each parameter, in a GGUF file with tensors of these `names`; without `output` it is tied."""
    width, head, inner, vocabulary = config.n_embd, config.head_size, config.mlp_size, config.vocab_size

    def whole(name: str, *shape: int) -> Rows:
        return whole_tensor(f"{name}.weight", shape)

    output = "output" if "output.weight" in names else "token_embd"
    rows = {
        "transformer.wte.weight": [whole("token_embd", vocabulary, width)],
        "ln_f.weight": [whole("output_norm", width)],
        "lm_head.weight": [whole(output, vocabulary, width)],
    }
    for number in range(config.n_layer):
        ours, theirs = f"transformer.h.{number}.", f"blk.{number}."
        q = [whole(f"{theirs}attn_q", width, width)]
        kv = [whole(f"{theirs}attn_k", head, width), whole(f"{theirs}attn_v", head, width)]
        if f"{theirs}attn_qkv.weight" in names:
            fused = (f"{theirs}attn_qkv.weight", (width + 2 * head, width))
            q, kv = [Rows(*fused, 0, width)], [Rows(*fused, width, width + 2 * head)]
        rows |= {
            f"{ours}ln_1.weight": [whole(f"{theirs}attn_norm", width)],
            f"{ours}attn.q.weight": q,
            f"{ours}attn.kv.weight": kv,
            f"{ours}attn.c_proj.weight": [whole(f"{theirs}attn_output", width, width)],
            f"{ours}ln_2.weight": [whole(f"{theirs}ffn_norm", width)],
            f"{ours}mlp.gate_up_proj.weight": [whole(theirs + half, inner, width) for half in ("ffn_gate", "ffn_up")],
            f"{ours}mlp.c_proj.weight": [whole(f"{theirs}ffn_down", width, inner)],
        }
    return rows
