"""Tokens a second of scoring: packed sequences against padded batches, on the same network and rows.

    python -m benchmarks.model                        a random network of 8 layers, 512 wide
    python -m benchmarks.model --model PATH           a checkpoint
    python -m benchmarks.model --device cuda --dtype bfloat16 --size 1.6b --rows 4000

(as a module, from the repository's root: as a script it would hide the package of its name).

Rows are cut from the standard library's modules: contexts of 100 to `--context-chars` characters, middles of 0 to 200.
Tokens are those of the rows; padding is not counted. The padded batches also make logits for the middle and end-of-text
alone and run the same attention, so the difference is padding, not waste elsewhere. Each is measured `--repeat` times and
the best counts. The ceiling is the largest matrix product of that dtype on that device.
"""

from __future__ import annotations

import argparse
import json
import random
import sysconfig
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import tokenizers
import torch
from tokenizers import decoders, models, pre_tokenizers, trainers

import model
from model.checkpoint import DTYPES, Model
from model.config import RefactConfig
from model.prompt import fim_ids
from model.refact import Refact
from model.scorer import Scorer
from model.tokenizer import STARCODER_SENTINELS, Tokenizer

SIZES = {
    "small": {"n_embd": 512, "n_layer": 8, "n_head": 8, "n_positions": 4096},
    "1.6b": {"vocab_size": 49216},
}

Row = tuple[str, str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="checkpoint to score with; default: random weights")
    parser.add_argument("--size", choices=SIZES, default="small", help="of the random network")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    parser.add_argument("--rows", type=int, default=30)
    parser.add_argument("--context-chars", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=16, help="rows in a padded batch")
    parser.add_argument("--token-budget", type=int, help="tokens in a packed sequence; default: the scorer's")
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--repeat", type=int, default=2)
    options = parser.parse_args()

    if options.model:
        loaded = model.load(options.model, dtype=options.dtype, device=options.device)
    else:
        loaded = random_model(options.size, DTYPES[options.dtype], options.device)
    rows = cut_rows(options.rows, options.context_chars)
    scorer = Scorer(loaded, layouts=["psm"], token_budget=options.token_budget, compiled=options.compiled)
    sequences = encoded(scorer, rows)
    tokens = sum(len(prompt) + len(middle) for prompt, middle in sequences)
    weights = sum(weight.numel() for weight in loaded.network.parameters())
    inner = weights - 2 * loaded.network.lm_head.weight.numel()  # embeddings are looked up, logits made at few places
    ceiling = product_ceiling(options.device, DTYPES[options.dtype])
    threads = f", {torch.get_num_threads()} threads" if options.device == "cpu" else ""
    print(f"{weights:,} parameters, {options.dtype} on {options.device}{threads}; {len(rows)} rows, {tokens:,} tokens")

    def packed() -> None:
        scorer.score(rows)

    def padded() -> None:
        score_padded(scorer, sequences, options.batch)

    def padded_by_length() -> None:
        score_padded(scorer, sorted(sequences, key=lambda row: -len(row[0]) - len(row[1])), options.batch)

    speeds = {}
    for name, run in (("padded", padded), ("padded, by length", padded_by_length), ("packed", packed)):
        speeds[name] = tokens / best_time(run, options.repeat, options.device)
        share = 2 * inner * speeds[name] / ceiling
        print(f"{name:20} {speeds[name]:>12,.0f} tokens/s   {share:>5.0%} of {ceiling / 1e9:,.0f} GFLOP/s")
    print(f"packed / padded            {speeds['packed'] / speeds['padded']:.2f}")
    print(f"packed / padded by length  {speeds['packed'] / speeds['padded, by length']:.2f}")


def random_model(size: str, dtype: torch.dtype, device: str) -> Model:
    """A network with random weights, and a tokenizer of 4,096 ids trained on some of the standard library."""
    bpe = tokenizers.Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=4096, special_tokens=list(STARCODER_SENTINELS), initial_alphabet=alphabet, show_progress=False
    )
    bpe.train([str(path) for path in modules()[:40]], trainer)
    tokenizer = Tokenizer(json.loads(bpe.to_str()))
    config = RefactConfig(**{"vocab_size": tokenizer.size, **SIZES[size]})
    with torch.device(device):
        network = Refact(config).to(dtype)
    with torch.no_grad():
        for weight in network.parameters():
            weight.fill_(1.0) if weight.dim() == 1 else weight.normal_(std=config.initializer_range)
    return Model(config, network.eval().requires_grad_(False), tokenizer)


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
    sequences = []
    for row in rows:
        prefix, middle, suffix = scorer.tokenizer.encode_batch(row)
        sequences.append((fim_ids(prefix, suffix, "psm", scorer.tokenizer.sentinels), middle))
    return sequences


@torch.inference_mode()
def score_padded(scorer: Scorer, sequences: Sequence[tuple[list[int], list[int]]], batch: int) -> None:
    """Log probabilities of the middles and end-of-text, in batches padded to the longest row."""
    end = scorer.tokenizer.end_of_text
    for begin in range(0, len(sequences), batch):
        chosen = sequences[begin : begin + batch]
        length = max(len(prompt) + len(middle) for prompt, middle in chosen)
        input_ids = torch.tensor([(prompt + middle + [end] * length)[:length] for prompt, middle in chosen])
        at, targets = [], []
        for number, (prompt, middle) in enumerate(chosen):
            first = number * length + len(prompt) - 1
            at += range(first, first + len(middle) + 1)
            targets += [*middle, end]
        logits = scorer.network(input_ids.to(scorer.device), at=torch.tensor(at, device=scorer.device))
        log_p = logits.log_softmax(-1).gather(1, torch.tensor(targets, device=scorer.device)[:, None])
        log_p.cpu()


def best_time(run: Callable[[], None], repeat: int, device: str) -> float:
    """Seconds of the fastest of `repeat` runs, after one that warms up."""
    times = []
    for _ in range(repeat + 1):
        begin = time.perf_counter()
        run()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - begin)
    return min(times[1:])


def product_ceiling(device: str, dtype: torch.dtype) -> float:
    """FLOP/s of a large matrix product."""
    size = 8192 if device == "cuda" else 1024
    one, other = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    return 2 * size**3 / best_time(lambda: torch.mm(one, other), 5, device)


if __name__ == "__main__":
    main()
