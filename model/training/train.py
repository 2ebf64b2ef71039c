"""Trains a small Refact on examples that the pipeline wrote.

    python -m stackfim.model.training.train DIR --out FOLDER        DIR is a folder of `stackfim build`

Writes `config.json`, `tokenizer.json`, `model.safetensors`, `training.json` (settings and data) and `repositories.tsv`
(the repositories that it was trained on, and their licenses) to FOLDER. Until training is complete, FOLDER.part holds its
state: the same command continues where it was killed, and ends with the same bytes.

The recipe is the one that the card of Refact-1.6B names: the Lion optimizer (Chen et al. 2023) and early dropout (Liu et
al. 2023, "Dropout Reduces Underfitting": only in the first part of training, falling to none).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from stackfim.model.checkpoint import Model, export
from stackfim.model.tokenizer import Tokenizer
from stackfim.model.training.loop import TrainingSettings, train, with_steps
from stackfim.model.training.sequences import (
    Example,
    SequenceSettings,
    TrainingDataError,
    read_examples,
    seen_examples,
)
from stackfim.model.training.tokenizer import train_tokenizer

# Characters that the tokenizer learns from: more would change few merges.
TOKENIZER_CHARS = 24_000_000


def _print(line: str) -> None:
    print(line, flush=True)


def tokenizer_texts(examples: Sequence[Example], most_chars: int = TOKENIZER_CHARS) -> Iterator[str]:
    """Text to learn a tokenizer from: one example of each file, in the order of content ids, up to `most_chars`."""
    files = {example.content_id: example for example in reversed(examples)}
    chars = 0
    for _, example in sorted(files.items()):
        text = example.prefix + example.middle + example.suffix
        chars += len(text)
        if chars > most_chars:
            return
        yield text


def repositories_table(examples: Sequence[Example]) -> str:
    """A tab-separated table of repositories with their revisions, licenses and numbers of examples, sorted by name."""
    counts = Counter((example.repository, example.revision, " ".join(example.licenses)) for example in examples)
    lines = ["repository\trevision\tlicenses\texamples"]
    lines += ["\t".join((*key, str(count))) for key, count in sorted(counts.items())]
    return "\n".join(lines) + "\n"


def train_folder(
    folder: Path,
    out: Path,
    settings: TrainingSettings,
    *,
    device: str,
    origin: str,
    state_seconds: float = 180.0,
    report: Callable[[str], None] = _print,
) -> None:
    """Train on the examples of a folder and write a checkpoint to `out`; a run that was killed is resumed.

    Raises TrainingDataError for a folder that cannot be trained on, and for an `out` with the state of another training.
    """
    partitions = read_examples(folder, held_out_share=settings.held_out_share, held_out_seed=settings.held_out_seed)
    report(
        f"{len(partitions.train):,} examples to train on, {len(partitions.held_out):,} of other repositories held out"
    )
    work = out.with_name(out.name + ".part")
    work.mkdir(parents=True, exist_ok=True)
    described: dict[str, Any] = {
        "data": {"origin": origin, "manifest_sha256": sha256((folder / "manifest.json").read_bytes()).hexdigest()},
        "settings": asdict(settings),
    }
    described = json.loads(json.dumps(described))  # as it is when it is read from a file
    description = work / "training.json"
    if description.exists() and json.loads(description.read_text(encoding="utf-8")) != described:
        raise TrainingDataError(
            f"{work} holds the state of a training on other data or with other settings: delete it, or finish that one"
        )
    _write(description, json.dumps(described, indent=1))
    tokenizer_path = work / "tokenizer.json"
    if not tokenizer_path.exists():
        learned = train_tokenizer(tokenizer_texts(partitions.train), settings.vocabulary)
        _write(tokenizer_path, json.dumps(learned.definition, ensure_ascii=False))
    tokenizer = Tokenizer.from_file(tokenizer_path)
    started = time.monotonic()
    training = train(
        partitions.train,
        tokenizer,
        settings,
        state=work / "state.pt",
        state_seconds=state_seconds,
        device=device,
        report=report,
    )
    seen = seen_examples(partitions.train, settings.sequences, training.position)
    described["data"] |= {
        "examples": len(seen),
        "tokens": training.tokens,
        "passes": training.position.epoch + 1,
        "files": len({example.content_id for example in seen}),
        "repositories": len({example.repository for example in seen}),
        "languages": dict(Counter(example.language for example in seen).most_common()),
        "held_out_examples": len(partitions.held_out),
        "held_out_repositories": sorted({example.repository for example in partitions.held_out}),
    }
    described["last_loss"] = sum(training.losses[-100:]) / len(training.losses[-100:])
    network = training.network.to("cpu", torch.bfloat16)
    export(Model(network, tokenizer), out)
    _write(out / "repositories.tsv", repositories_table(seen))
    _write(out / "training.json", json.dumps(described, indent=1, ensure_ascii=False) + "\n")
    shutil.rmtree(work)
    report(
        f"{out}: {training.tokens:,} tokens of {len(seen):,} examples, {(time.monotonic() - started) / 60:.0f} minutes"
    )


def main() -> None:
    """Run the command line that the module's docstring shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help="a finished folder of `stackfim build`")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the checkpoint goes")
    parser.add_argument("--steps", type=int, default=TrainingSettings.steps)
    parser.add_argument("--learning-rate", type=float, default=TrainingSettings.learning_rate)
    parser.add_argument("--seed", type=int, default=0, help="draws the order and the first weights")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="another number gives other roundings")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--origin", default="", help="where the source code is from: a phrase for the card")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    settings = with_steps(TrainingSettings(sequences=SequenceSettings(seed=options.seed)), options.steps)
    settings = replace(settings, learning_rate=options.learning_rate)
    try:
        train_folder(options.folder, options.out, settings, device=options.device, origin=options.origin)
    except TrainingDataError as error:
        sys.exit(f"stackfim.model.training.train: {error}")


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


if __name__ == "__main__":
    main()
