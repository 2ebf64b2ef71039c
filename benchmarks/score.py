"""Tokens per second of scoring: padding, packing and compilation on the same network and rows, and peers beside them.

    python -m benchmarks.score                        a random network of 8 layers, 512 wide
    python -m benchmarks.score --model PATH           a checkpoint; `tiny` is the one that is shipped
    python -m benchmarks.score --device cuda --dtype bfloat16 --size 1.6b --rows 4000 --context-chars 8000
    python -m benchmarks.score --peers FOLDER         with the peers in a folder, where they are installed if they are missing

Rows are cut from the standard library's modules: contexts of 100 to `--context-chars` characters, middles of 0 to 200.
Tokens are those of the rows; padding is not counted. All contenders make logits only for the middle and end-of-text;
ours run the same attention padded and packed, so the difference is padding. They take turns, each `--rounds` times after
a run that warms up, and the best time counts.

Peers are installed with pip into a virtual environment of their own, in a temporary folder or in `--peers`, where it is
kept for the next time; one that cannot be installed is left out with a message. transformers runs GPTBigCode, the nearest
architecture that it has (multi-query attention, an MLP with as many parameters, learned positions), on rows sorted by
length in padded batches; llama.cpp (on a CPU) runs the same network, one row at a time.

Utilisation is the arithmetic that the rows need (products with the weights, causal attention, logits where needed) per
second, as a share of what the largest matrix product of that dtype reaches on that device.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import random
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

import gguf
import torch

from stackfim import model
from stackfim.model.checkpoint import DTYPES, Model
from stackfim.model.prompt import FimPrompt
from stackfim.model.refact import Refact
from stackfim.model.refact_config import RefactConfig
from stackfim.model.scorer import Scorer
from stackfim.model.training.tokenizer import train_tokenizer
from stackfim.schemas.layout import PSM

PEERS = Path(__file__).parent / "peers" / "score.py"
# transformers needs the same torch, so that both have the same kernels.
INSTALLS = ((f"torch=={torch.__version__}", "transformers>=5.0", "numpy"), ("llama-cpp-python>=0.3.16",))

SIZES = {
    "small": {"n_embd": 512, "n_layer": 8, "n_head": 8, "n_positions": 4096},
    "1.6b": {"vocab_size": 49216},
}

Row = tuple[str, str, str]


def main() -> None:
    """Run all contenders and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a Refact checkpoint to score with; default: random weights")
    parser.add_argument("--size", choices=SIZES, default="small", help="size of the random network")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    parser.add_argument("--rows", type=int, default=30)
    parser.add_argument("--context-chars", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=16, help="rows in a padded batch")
    parser.add_argument("--token-budget", type=int, help="tokens in a packed sequence; default: the scorer's")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--no-compile", action="store_true", help="leave out the compiled network, which needs a C++ compiler"
    )
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help="virtual environment of the peers")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    if options.model:
        loaded = model.load(options.model, dtype=options.dtype, device=options.device)
    else:
        loaded = random_model(options.size, DTYPES[options.dtype], options.device)
    network = refact_of(loaded)
    rows = cut_rows(options.rows, options.context_chars)
    scorer = Scorer(loaded, layouts=[PSM], token_budget=options.token_budget)
    sequences = encoded(scorer, rows)
    sequences_by_length = sorted(sequences, key=lambda row: -len(row[0]) - len(row[1]))
    tokens = sum(len(prompt) + len(middle) for prompt, middle in sequences)
    with tempfile.TemporaryDirectory() as work:
        contenders: dict[str, Callable[[], float | None]] = {
            "padded": timed(lambda: score_padded(network, scorer, sequences, options.batch), options.device),
            "padded, by length": timed(
                lambda: score_padded(network, scorer, sequences_by_length, options.batch), options.device
            ),
            "packed": timed(lambda: scorer.score(rows), options.device),
        }
        if not options.no_peers:
            write_peers_work(loaded, sequences, Path(work), gguf_type=options.dtype)
            python = peers_python(options.peers or Path(work) / "venv")
            settings = [options.device, options.dtype, str(options.batch), str(options.threads)]
            for peer in ("transformers", "llama.cpp")[: 1 if options.device == "cuda" else 2]:
                command = [str(python), str(PEERS), peer, work, *settings]
                contenders[peer] = functools.partial(peer_seconds, command)
        seconds = best_of_turns(contenders, options.rounds)
        if not options.no_compile:
            # Last, since compiling changes the network that all contenders share.
            network.compile_mlps()
            seconds |= best_of_turns(
                {"packed, compiled": timed(lambda: scorer.score(rows), options.device)}, options.rounds
            )

    weights = sum(weight.numel() for weight in network.parameters())
    ceiling = product_ceiling(options.device, DTYPES[options.dtype])
    needed = needed_flops(network, sequences)
    threads = f", {options.threads} threads" if options.device == "cpu" else ""
    print(f"{weights:,} parameters, {options.dtype} on {options.device}{threads}; {len(rows)} rows, {tokens:,} tokens")
    print(f"matrix products reach {ceiling / 1e9:,.0f} GFLOP/s; the rows need {needed / 1e9:,.0f} GFLOP")
    print(f"{'':20}{'tokens/s':>12}{'utilisation':>14}{'packed is':>12}")
    for name, value in seconds.items():
        print(f"{name:20}{tokens / value:>12,.0f}{needed / value / ceiling:>14.0%}{value / seconds['packed']:>11.2f}x")


def refact_of(loaded: Model) -> Refact:
    """The network of a checkpoint, which must be a Refact: the peers know no other of ours."""
    if not isinstance(loaded.network, Refact):
        sys.exit(f"--model: holds a {type(loaded.network).__name__}, expected a Refact")
    return loaded.network


def needed_flops(network: Refact, sequences: Sequence[tuple[list[int], list[int]]]) -> float:
    """Floating-point operations that the rows need: embeddings are looked up, no query looks ahead, few have logits."""
    config = network.config
    inner = sum(weight.numel() for weight in network.get_submodule("transformer.h").parameters())
    total = 0.0
    for prompt, middle in sequences:
        length = len(prompt) + len(middle)
        total += 2 * inner * length + 4 * config.n_layer * config.n_embd * length * (length + 1) / 2
        total += 2 * config.vocab_size * config.n_embd * (len(middle) + 1)
    return total


def timed(run: Callable[[], object], device: str) -> Callable[[], float]:
    """A function that runs `run` and returns how many seconds it took."""

    def seconds() -> float:
        begin = time.perf_counter()
        run()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - begin

    return seconds


def best_of_turns(contenders: dict[str, Callable[[], float | None]], rounds: int) -> dict[str, float]:
    """Seconds of the best turn of each contender after one that warms up; contenders that return None are left out."""
    best: dict[str, float] = {}
    out: set[str] = set()
    for turn in range(rounds + 1):
        for name, contender in contenders.items():
            if name in out:
                continue
            try:
                seconds = contender()
            except torch._dynamo.exc.TorchDynamoException as error:
                print(f"{name}: {str(error).strip().splitlines()[0]}: left out", file=sys.stderr)
                seconds = None
            if seconds is None:
                out.add(name)
            elif turn:
                best[name] = min(seconds, best.get(name, seconds))
    return best


def write_peers_work(
    loaded: Model, sequences: Sequence[tuple[list[int], list[int]]], work: Path, *, gguf_type: str
) -> None:
    """Write what the peers read: the rows as ids, the network's shape, and the network as a GGUF file."""
    assert loaded.tokenizer is not None
    network = refact_of(loaded)
    config = network.config
    names = ("vocab_size", "n_embd", "n_layer", "n_head", "n_positions")
    shape = {name: getattr(config, name) for name in names}
    end = loaded.tokenizer.end_of_text
    rows = [(prompt, [*middle, end]) for prompt, middle in sequences]
    (work / "rows.json").write_text(json.dumps({"config": shape, "rows": rows}))
    writer = gguf.GGUFWriter(work / "model.gguf", "refact")
    writer.add_context_length(config.n_positions)
    writer.add_embedding_length(config.n_embd)
    writer.add_feed_forward_length(config.mlp_size)
    writer.add_block_count(config.n_layer)
    writer.add_head_count(config.n_head)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(config.layer_norm_epsilon)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("refact")
    definition = loaded.tokenizer.definition["model"]
    vocabulary = {number: token for token, number in definition["vocab"].items()}
    writer.add_token_list([vocabulary.get(number, f"[PAD{number}]") for number in range(config.vocab_size)])
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in definition["merges"]])
    kind = {"float32": gguf.GGMLQuantizationType.F32, "float16": gguf.GGMLQuantizationType.F16}
    kind |= {"bfloat16": gguf.GGMLQuantizationType.BF16}
    for name, tensor in gguf_tensors(network).items():
        stored = kind[gguf_type] if tensor.dim() > 1 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quants.quantize(tensor.float().cpu().numpy(), stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_tensors(network: Refact) -> dict[str, torch.Tensor]:
    """The weights by the names that GGUF files have for them."""
    state = network.state_dict()
    tensors = {
        "token_embd.weight": state["transformer.wte.weight"],
        "output_norm.weight": state["ln_f.weight"],
        "output.weight": state["lm_head.weight"],
    }
    for number in range(network.config.n_layer):
        ours, theirs = f"transformer.h.{number}.", f"blk.{number}."
        k, v = state[f"{ours}attn.kv.weight"].chunk(2)
        gate, up = state[f"{ours}mlp.gate_up_proj.weight"].chunk(2)
        tensors |= {
            f"{theirs}attn_norm.weight": state[f"{ours}ln_1.weight"],
            f"{theirs}attn_q.weight": state[f"{ours}attn.q.weight"],
            f"{theirs}attn_k.weight": k,
            f"{theirs}attn_v.weight": v,
            f"{theirs}attn_output.weight": state[f"{ours}attn.c_proj.weight"],
            f"{theirs}ffn_norm.weight": state[f"{ours}ln_2.weight"],
            f"{theirs}ffn_gate.weight": gate,
            f"{theirs}ffn_up.weight": up,
            f"{theirs}ffn_down.weight": state[f"{ours}mlp.c_proj.weight"],
        }
    return tensors


def peers_python(folder: Path) -> Path:
    """The Python of a virtual environment in `folder` with the peers, which is made if it is missing."""
    python = folder / "bin" / "python"
    if python.exists():
        return python
    venv.create(folder, with_pip=True)
    for packages in INSTALLS:
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
        if subprocess.run(pip, check=False, capture_output=True).returncode:
            print(f"could not install {' '.join(packages)}: peers that need it are left out", file=sys.stderr)
    return python


def peer_seconds(command: list[str]) -> float | None:
    """Seconds that a peer took; None, with a message, for one that is missing or failed."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines or lines[-1] == "missing":
        why = done.stderr.strip().splitlines()[-1] if done.returncode and done.stderr.strip() else "not installed"
        print(f"{command[2]}: {why}: left out", file=sys.stderr)
        return None
    return float(lines[-1])


def random_model(size: str, dtype: torch.dtype, device: str) -> Model:
    """A network with random weights, and a tokenizer of 4,096 ids trained on some of the standard library."""
    tokenizer = train_tokenizer((path.read_text(encoding="utf-8") for path in modules()[:40]), 4096)
    config = RefactConfig(**{"vocab_size": tokenizer.size, **SIZES[size]})
    with torch.device(device):
        network = Refact(config).to(dtype)
    with torch.no_grad():
        for weight in network.parameters():
            weight.fill_(1.0) if weight.dim() == 1 else weight.normal_(std=config.initializer_range)
    return Model(network.eval().requires_grad_(False), tokenizer)


def modules() -> list[Path]:
    """The standard library's modules, by name."""
    return sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))


def cut_rows(count: int, context_chars: int) -> list[Row]:
    """Rows (prefix, middle, suffix) cut at random; the same for the same Python."""
    generator = random.Random(0)
    texts = [text for path in modules() if len(text := path.read_text(encoding="utf-8")) > 2 * context_chars]
    rows = []
    for _ in range(count):
        text = generator.choice(texts)
        size, middle = generator.randint(100, context_chars), generator.randint(0, 200)
        begin = generator.randrange(len(text) - size - middle)
        cursor = begin + generator.randint(size // 2, size)
        rows.append((text[begin:cursor], text[cursor : cursor + middle], text[cursor + middle : begin + size + middle]))
    return rows


def encoded(scorer: Scorer, rows: Sequence[Row]) -> list[tuple[list[int], list[int]]]:
    """Prompt and middle of every row, as ids."""
    prompt = FimPrompt(scorer.tokenizer, PSM)
    sequences = []
    for row in rows:
        prefix, middle, suffix = scorer.tokenizer.encode_batch(row)
        sequences.append((prompt.ids(prefix, suffix), middle))
    return sequences


@torch.inference_mode()
def score_padded(network: Refact, scorer: Scorer, sequences: Sequence[tuple[list[int], list[int]]], batch: int) -> None:
    """Compute log probabilities of the middles and end-of-text, in batches padded to the longest row."""
    end = scorer.tokenizer.end_of_text
    for begin in range(0, len(sequences), batch):
        chosen = sequences[begin : begin + batch]
        length = max(len(prompt) + len(middle) for prompt, middle in chosen)
        input_ids = torch.tensor([(prompt + middle + [end] * length)[:length] for prompt, middle in chosen])
        at: list[int] = []
        targets: list[int] = []
        for number, (prompt, middle) in enumerate(chosen):
            first = number * length + len(prompt) - 1
            at += range(first, first + len(middle) + 1)
            targets += [*middle, end]
        logits = network(input_ids.to(scorer.device), at=torch.tensor(at, device=scorer.device))
        log_p = logits.log_softmax(-1).gather(1, torch.tensor(targets, device=scorer.device)[:, None])
        log_p.cpu()


def product_ceiling(device: str, dtype: torch.dtype) -> float:
    """FLOP/s of a large matrix product."""
    size = 8192 if device == "cuda" else 1024
    one, other = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    run = timed(lambda: torch.mm(one, other), device)
    return 2 * size**3 / min(run() for _ in range(6))


if __name__ == "__main__":
    main()
