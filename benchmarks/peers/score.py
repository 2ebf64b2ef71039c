"""The peers of benchmarks/score.py, one per call, in a Python of their own: nothing of stackfim is imported here.

    python score.py PEER WORK DEVICE DTYPE BATCH THREADS      prints the seconds of the second run; the first warms up

WORK/rows.json holds `config` (vocab_size, n_embd, n_layer, n_head, n_positions) and `rows`, pairs of prompt and completion
as ids; a peer computes the log probability of every token of the completions. For llama.cpp, WORK/model.gguf is the
network. Prints `missing` when the peer is not installed.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Config = dict[str, int]
Rows = list[tuple[list[int], list[int]]]


def transformers_padded(config: Config, rows: Rows, device: str, dtype: str, batch: int) -> Callable[[], None]:
    """GPTBigCode: multi-query attention, a plain MLP of the same size, learned positions; random weights.

    Rows are sorted by length, and batches padded to their longest row; logits are computed only where they are needed.
    """
    import torch
    from transformers import GPTBigCodeConfig, GPTBigCodeForCausalLM

    keywords: dict[str, Any] = {**config, "multi_query": True, "use_cache": False, "attn_implementation": "sdpa"}
    settings = GPTBigCodeConfig(**keywords)
    with torch.device(device):
        network = GPTBigCodeForCausalLM(settings).to(getattr(torch, dtype)).eval()
    print(f"{sum(weight.numel() for weight in network.parameters()):,} parameters", file=sys.stderr)
    rows = sorted(rows, key=lambda row: -len(row[0]) - len(row[1]))

    @torch.inference_mode()
    def run() -> None:
        for begin in range(0, len(rows), batch):
            chosen = rows[begin : begin + batch]
            length = max(len(prompt) + len(completion) - 1 for prompt, completion in chosen)
            ids = torch.zeros(len(chosen), length, dtype=torch.int64)
            mask = torch.zeros_like(ids)
            at: list[int] = []
            targets: list[int] = []
            for number, (prompt, completion) in enumerate(chosen):
                read = [*prompt, *completion[:-1]]
                ids[number, : len(read)] = torch.tensor(read)
                mask[number, : len(read)] = 1
                first = number * length + len(prompt) - 1
                at += range(first, first + len(completion))
                targets += completion
            hidden = network.transformer(ids.to(device), attention_mask=mask.to(device)).last_hidden_state
            logits = network.lm_head(hidden.flatten(0, 1)[torch.tensor(at, device=device)]).float()
            scores = logits.log_softmax(-1).gather(1, torch.tensor(targets, device=device)[:, None])
            assert scores.cpu().isfinite().all()

    return run


def llama_cpp_rows(work: Path, config: Config, rows: Rows, threads: int) -> Callable[[], None]:
    """llama.cpp's own `refact` graph, a row at a time; logits are computed only where they are needed."""
    import ctypes

    import llama_cpp
    import numpy as np

    quiet = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    model_settings = llama_cpp.llama_model_default_params()
    model_settings.n_gpu_layers = 0
    network = llama_cpp.llama_model_load_from_file(str(work / "model.gguf").encode(), model_settings)
    assert network, "llama.cpp could not load the network"
    longest = max(len(prompt) + len(completion) for prompt, completion in rows)
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx = settings.n_batch = settings.n_ubatch = longest
    settings.n_threads = settings.n_threads_batch = threads
    context = llama_cpp.llama_init_from_model(network, settings)
    assert context, "llama.cpp could not make a context"
    batch = llama_cpp.llama_batch_init(longest, 0, 1)

    def run(_quiet: object = quiet) -> None:
        for prompt, completion in rows:
            llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
            read = [*prompt, *completion[:-1]]
            batch.n_tokens = len(read)
            for place, token in enumerate(read):
                batch.token[place] = token
                batch.pos[place] = place
                batch.n_seq_id[place] = 1
                batch.seq_id[place][0] = 0
                batch.logits[place] = place >= len(prompt) - 1
            assert llama_cpp.llama_decode(context, batch) == 0
            for place, target in enumerate(completion, start=len(prompt) - 1):
                pointer = llama_cpp.llama_get_logits_ith(context, place)
                logits = np.ctypeslib.as_array(pointer, shape=(config["vocab_size"],))
                score = logits[target] - logits.max() - np.log(np.exp(logits - logits.max()).sum())
                assert np.isfinite(score)

    return run


def main() -> None:
    """The command line."""
    peer, folder, device, dtype, batch, threads = sys.argv[1:]
    work = Path(folder)
    held = json.loads((work / "rows.json").read_text())
    rows = [(prompt, completion) for prompt, completion in held["rows"]]
    try:
        importlib.import_module({"transformers": "transformers", "llama.cpp": "llama_cpp"}[peer])
    except ImportError:
        print("missing")
        return
    if peer == "transformers":
        import torch

        torch.set_num_threads(int(threads))
        run = transformers_padded(held["config"], rows, device, dtype, int(batch))
    else:
        run = llama_cpp_rows(work, held["config"], rows, int(threads))
    run()
    started = time.perf_counter()
    run()
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main()
