"""How good a checkpoint is on fill-in-the-middle examples of repositories that it was not trained on.

    python -m stackfim.model.training.evaluate DIR --model FOLDER            prints a table; exit 1 if a bar is missed
    python -m stackfim.model.training.evaluate DIR --model FOLDER --card     also writes training.json and README.md there

DIR is the folder of `stackfim build` that `stackfim.model.training.train` read, FOLDER the one that it wrote. In each
layout it measures:

- the negative log likelihood of middles and their ends, beside that of a smoothed 5-gram model of the same tokens;
- how well `p_eot_end` tells true ends of single-line and multi-line middles from ends one line earlier or later in the
  file (area under the ROC curve), and the same for multi-line middles alone, which is harder;
- how well `p_eot_start` tells EMPTY places from others (area under the ROC curve);
- how often a middle with its lines shuffled has a worse score than the middle.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import rankdata

from stackfim.model.checkpoint import Model, load
from stackfim.model.ends import Row, earlier_end, later_end
from stackfim.model.interfaces import FimTokenizer
from stackfim.model.prompt import FimPrompt
from stackfim.model.scorer import Score, ScoredRow, Scorer
from stackfim.model.training.card import write_card
from stackfim.model.training.ngram import KneserNey
from stackfim.model.training.sequences import Example, SequenceSettings, batches, read_examples, read_shard, rendered
from stackfim.schemas.layout import LAYOUTS, PSM

# What each figure must reach in both layouts.
BARS = {"auc_end": 0.80, "auc_start": 0.80, "shuffled_worse": 0.95}

# Fewer lines in another order are often just as good.
SHUFFLED_LINES = 3


def shuffled(row: Row, seed: int) -> Row | None:
    """The row with the lines of its middle in another order; None for too few lines, or lines that are all the same."""
    prefix, middle, suffix = row
    body = middle.rstrip("\r\n")
    lines = body.split("\n")
    if sum(1 for line in lines if line.strip()) < SHUFFLED_LINES or len(set(lines)) == 1:
        return None
    generator = random.Random(seed)
    order = list(lines)
    while order == lines:
        generator.shuffle(order)
    return prefix, "\n".join(order) + middle[len(body) :], suffix


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Area under the ROC curve: how often a positive is above a negative, with ties counted half (Mann-Whitney U)."""
    ranks = rankdata([*positive, *negative])[: len(positive)]
    return float((ranks.sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative)))


def figures(
    model: Model,
    examples: Sequence[Example],
    most_pairs: int | None = None,
    layouts: Sequence[str] = LAYOUTS,
    context_tokens: int | None = None,
) -> dict[str, dict[str, float]]:
    """The figures of a model on examples, by layout.

    At most `most_pairs` ends, and as many shuffles, are compared. `context_tokens` are as `Scorer` takes them.
    """
    rows = [example.row for example in examples]
    ended = [example for example in examples if example.category in ("single_line", "multi_line")]
    ends = [(example, [earlier_end(example.row), later_end(example.row)]) for example in ended][:most_pairs]
    shuffles = [(row, found) for number, row in enumerate(rows) if (found := shuffled(row, number))][:most_pairs]
    wanted = dict.fromkeys(rows)
    wanted |= dict.fromkeys(row for _, shifted in ends for row in shifted if row is not None)
    wanted |= dict.fromkeys(row for _, row in shuffles)
    scorer = Scorer(model, layouts=layouts, context_tokens=context_tokens)
    scored = dict(zip(wanted, scorer.score(list(wanted)), strict=True))
    return {layout: _figures(layout, examples, ends, shuffles, scored) for layout in layouts}


def _figures(
    layout: str,
    examples: Sequence[Example],
    ends: Sequence[tuple[Example, Sequence[Row | None]]],
    shuffles: Sequence[tuple[Row, Row]],
    scored: Mapping[Row, ScoredRow],
) -> dict[str, float]:
    def score(row: Row | None) -> Score | None:
        return scored[row].scores[layout] if row is not None else None

    judged = [(example, found) for example in examples if (found := score(example.row))]
    tokens = sum(scored[example.row].tokens + 1 for example, _ in judged)
    silent = [found.p_eot_start for example, found in judged if example.category == "empty"]
    others = [found.p_eot_start for example, found in judged if example.category != "empty"]
    true, off = _end_probabilities(ends, score)
    multi_line = [(example, shifted) for example, shifted in ends if example.category == "multi_line"]
    pairs = [(code, mess) for row, other in shuffles if (code := score(row)) and (mess := score(other))]
    return {
        "rows": len(judged),
        "tokens": tokens,
        "nll": sum(found.nll_sum for _, found in judged) / tokens,
        "auc_end": auc(true, off),
        "auc_end_multi_line": auc(*_end_probabilities(multi_line, score)),
        "ends": len(true),
        "auc_start": auc(silent, others),
        "silent": len(silent),
        "shuffled_worse": sum(mess.nll > code.nll for code, mess in pairs) / len(pairs),
        "shuffles": len(pairs),
        "greedy_match": sum(found.greedy_match for _, found in judged) / len(judged),
    }


def _end_probabilities(
    ends: Sequence[tuple[Example, Sequence[Row | None]]], score: Callable[[Row | None], Score | None]
) -> tuple[list[float], list[float]]:
    """`p_eot_end` at true ends and at shifted ones."""
    true = [found.p_eot_end for example, _ in ends if (found := score(example.row))]
    return true, [found.p_eot_end for _, shifted in ends for row in shifted if (found := score(row))]


def ngram_nll(
    ngram: KneserNey, tokenizer: FimTokenizer, examples: Iterable[Example], context_tokens: int, context_length: int
) -> dict[str, float]:
    """The n-gram model's mean negative log likelihood, in nats, of middles and their ends, by layout: as in `figures`."""
    result = {}
    for layout in LAYOUTS:
        prompt = FimPrompt(tokenizer, layout)
        sequences = []
        for example in examples:
            head, tail, middle = (tokenizer.encode(text) for text in (example.prefix, example.suffix, example.middle))
            found = rendered(example, (head, tail, middle), tokenizer, prompt, context_tokens, context_length)
            if found is not None:
                sequences.append(found)
        log_p = ngram.log_probabilities([before + completion for before, completion in sequences])
        of_middles = [part[len(before) :] for part, (before, _) in zip(log_p, sequences, strict=True)]
        result[layout] = -float(np.concatenate(of_middles).mean())
    return result


def training_sequences(
    examples: Sequence[Example], tokenizer: FimTokenizer, settings: SequenceSettings, steps: int
) -> list[npt.NDArray[np.int64]]:
    """The sequences that training learned from in its first `steps` steps, each up to its end-of-text."""
    sequences = []
    for _, batch in islice(batches(examples, tokenizer, settings), steps):
        begin = 0
        for size in batch.segments:
            targets = batch.targets[begin : begin + size]
            end = int((targets == tokenizer.end_of_text).argmax())
            sequences.append(np.append(batch.input_ids[begin : begin + end + 1], tokenizer.end_of_text))
            begin += size
    return sequences


def missed_bars(measured: Mapping[str, Mapping[str, float]]) -> list[str]:
    """One line for each bar that the figures miss."""
    missed = []
    for layout, values in measured.items():
        missed += [
            f"{layout}: {name} is {values[name]:.3f}, expected {bar} or more"
            for name, bar in BARS.items()
            if values[name] < bar
        ]
        if "ngram_nll" in values and values["nll"] >= values["ngram_nll"]:
            missed.append(
                f"{layout}: nll is {values['nll']:.3f}, expected below the 5-gram's {values['ngram_nll']:.3f}"
            )
    return missed


def table(measured: Mapping[str, Mapping[str, float]]) -> str:
    """Figures as lines of text, with a column for each layout."""
    names = list(dict.fromkeys(name for values in measured.values() for name in values))
    lines = [f"{'':16}" + "".join(f"{layout:>12}" for layout in measured)]
    for name in names:
        values = (values.get(name, float("nan")) for values in measured.values())
        lines.append(
            f"{name:16}" + "".join(f"{value:>12,}" if isinstance(value, int) else f"{value:>12.3f}" for value in values)
        )
    return "\n".join(lines)


def sampled(examples: Sequence[Example], count: int, seed: int = 0) -> list[Example]:
    """At most `count` of the examples, drawn by a seed, in their order."""
    chosen = random.Random(seed).sample(range(len(examples)), min(count, len(examples)))
    return [examples[number] for number in sorted(chosen)]


def main() -> None:
    """Run the command line that the module's docstring shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder that the checkpoint was trained on")
    parser.add_argument(
        "--model",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="the folder that `stackfim.model.training.train` wrote",
    )
    parser.add_argument("--rows", type=int, default=1_200, help="held-out examples to score")
    parser.add_argument("--pairs", type=int, default=600, help="ends to compare, and shuffles")
    parser.add_argument(
        "--sample", type=Path, metavar="FILE", help="a parquet file of other examples to measure as well"
    )
    parser.add_argument("--card", action="store_true", help="write the figures into training.json and README.md")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument(
        "--context-tokens", type=int, metavar="N", help="bound of prefix and suffix; default: the longest in training"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    description = options.model / "training.json"
    described = json.loads(description.read_text(encoding="utf-8"))
    settings = described["settings"]
    manifest = sha256((options.folder / "manifest.json").read_bytes()).hexdigest()
    if manifest != described["data"]["manifest_sha256"]:
        sys.exit(
            f"stackfim.model.training.evaluate: {options.folder} is not the folder that {options.model} was trained on: "
            "its manifest.json has another hash"
        )
    loaded = load(options.model, dtype="float32")
    assert loaded.tokenizer is not None
    partitions = read_examples(
        options.folder, held_out_share=settings["held_out_share"], held_out_seed=settings["held_out_seed"]
    )
    context_tokens = options.context_tokens or settings["sequences"]["longest_context"]
    held_out = sampled(partitions.held_out, options.rows)
    measured = {"held_out": figures(loaded, held_out, options.pairs, context_tokens=context_tokens)}
    sequences = training_sequences(
        partitions.train, loaded.tokenizer, SequenceSettings(**settings["sequences"]), settings["steps"]
    )
    ngram = KneserNey(sequences, loaded.tokenizer.size)
    of_ngram = ngram_nll(ngram, loaded.tokenizer, held_out, context_tokens, loaded.config.context_length)
    for layout, nll in of_ngram.items():
        measured["held_out"][layout]["ngram_nll"] = nll
    if options.sample:
        sample = list(read_shard(options.sample))
        measured["sample"] = figures(loaded, sample, layouts=[PSM], context_tokens=context_tokens)
    for name, values in measured.items():
        print(f"{name}\n{table(values)}\n", flush=True)
    missed = missed_bars(measured["held_out"])
    if options.card:
        described |= {"figures": measured, "context_tokens": context_tokens, "missed_bars": missed}
        write_card(options.model, described, sum(weight.numel() for _, weight in loaded.network.named_parameters()))
    sys.exit("\n".join(missed) if missed else 0)


if __name__ == "__main__":
    main()
