"""Trains a small Refact on examples that the pipeline wrote.

    python -m stackfim.model.training.train DIR --out FOLDER        DIR is a folder of `stackfim build`

Leaves `config.json`, `tokenizer.json`, `model.safetensors`, `training.json` (settings and data) and `repositories.tsv`
(what it was trained on, under which licenses) in FOLDER. Until then, FOLDER.part holds the state: the same command
goes on where it was killed, and ends with the same bytes.

The recipe is what the Refact-1.6B card names: the Lion optimizer (Chen et al. 2023) and early dropout (Liu et al. 2023,
"Dropout Reduces Underfitting": only in the first part of training, falling to none).
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
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from stackfim.model.checkpoint import Model, export
from stackfim.model.config import RefactConfig
from stackfim.model.refact import Refact
from stackfim.model.tokenizer import Tokenizer
from stackfim.model.training.sequences import (
    Batch,
    Example,
    Position,
    SequenceSettings,
    TrainingDataError,
    batches,
    read_examples,
    seen_examples,
)
from stackfim.model.training.tokenizer import train_tokenizer

# Text that the tokenizer learns from: more changes few merges.
TOKENIZER_CHARS = 24_000_000


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that decides the bytes of a trained checkpoint, beside the data."""

    steps: int = 5000
    sequences: SequenceSettings = field(default_factory=SequenceSettings)
    # About 1.5 million parameters beside the embeddings.
    n_embd: int = 192
    n_layer: int = 4
    n_head: int = 6
    n_positions: int = 512
    vocabulary: int = 4096
    # About 1 / sqrt(n_embd): in a network this narrow 0.02, which is for 2,048, learns much slower.
    initializer_range: float = 0.06
    learning_rate: float = 6e-4
    last_learning_rate: float = 2e-5
    warm_up_steps: int = 200
    cool_down_step: int = 3300
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.5
    clip_norm: float = 1.0
    dropout: float = 0.1
    dropout_steps: int = 500
    held_out_share: float = 0.1
    # The first seed that holds out about a tenth of the published checkpoint's examples, in four languages or more, and
    # more than half of none.
    held_out_seed: int = 135

    @property
    def seed(self) -> int:
        """Of the order, the draws, the first weights and the dropout."""
        return self.sequences.seed


def _say(line: str) -> None:
    print(line, flush=True)


def with_steps(settings: TrainingSettings, steps: int) -> TrainingSettings:
    """The same training in more steps or fewer, every part of the schedule in proportion."""
    parts = ("warm_up_steps", "cool_down_step", "dropout_steps")
    scaled = {name: round(getattr(settings, name) * steps / settings.steps) for name in parts}
    return replace(settings, steps=steps, **scaled)


def learning_rate(step: int, settings: TrainingSettings) -> float:
    """The rate of a step: a linear warm-up, a plateau, then a straight cool-down to the last rate.

    With a cool-down (Haegele et al. 2024), a run may end at any step without having been planned for it.
    """
    if step > settings.cool_down_step:
        left = (settings.steps - step) / (settings.steps - settings.cool_down_step)
        return settings.last_learning_rate + left * (settings.learning_rate - settings.last_learning_rate)
    return settings.learning_rate * min(1.0, (step + 1) / settings.warm_up_steps)


def early_dropout(step: int, settings: TrainingSettings) -> float:
    """The dropout of a step: falls from `dropout` to 0 over the first `dropout_steps`."""
    return settings.dropout * max(0.0, 1 - step / settings.dropout_steps) if settings.dropout_steps else 0.0


@contextmanager
def residual_dropout(network: Refact) -> Iterator[Callable[[float], None]]:
    """Dropout on what every attention and MLP adds; gives the function that sets its probability.

    From outside, by hooks: the network that is loaded and scored with knows none.
    """
    probability = 0.0

    def drop(_module: torch.nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        return F.dropout(output, probability) if probability else output

    def set_probability(value: float) -> None:
        nonlocal probability
        probability = value

    parts = [block.get_submodule(part) for block in network.transformer["h"].children() for part in ("attn", "mlp")]
    hooks = [part.register_forward_hook(drop) for part in parts]
    try:
        yield set_probability
    finally:
        for hook in hooks:
            hook.remove()


def batch_loss(network: Refact, batch: Batch, padded_to: int | None = None) -> Tensor:
    """Weighted mean loss in nats; `padded_to` tokens where one length must do for all.

    Cross entropy of the targets and, where a middle does not end, `-log(1 - p)` of end-of-text (the unlikelihood of
    Welleck et al. 2020).
    """
    device = network.lm_head.weight.device
    input_ids, targets, weights, no_end_weights = (
        torch.from_numpy(part).to(device)
        for part in (batch.input_ids, batch.targets, batch.weights, batch.no_end_weights)
    )
    segments = list(batch.segments)
    if padded_to is not None and padded_to > len(input_ids):
        segments.append(padded_to - len(input_ids))
        input_ids = F.pad(input_ids, (0, segments[-1]))
    at = (weights + no_end_weights).nonzero()[:, 0]
    logits = network(input_ids[None], segments=segments, at=at)
    losses = F.cross_entropy(logits, targets[at], reduction="none") * weights[at]
    at_no_end = no_end_weights[at].nonzero()[:, 0]
    told = logits[at_no_end]
    end_of_text = network.config.eos_token_id
    others = torch.cat([told[:, :end_of_text], told[:, end_of_text + 1 :]], dim=1)
    no_ends = (told.logsumexp(-1) - others.logsumexp(-1)) * no_end_weights[at][at_no_end]
    return (losses.sum() + no_ends.sum()) / (weights.sum() + no_end_weights.sum())


def optimizer_of(network: Refact, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Lion; the weights of the norms do not decay."""
    from lion_pytorch import Lion

    matrices = [weight for weight in network.parameters() if weight.dim() > 1]
    vectors = [weight for weight in network.parameters() if weight.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return Lion(groups, lr=settings.learning_rate, betas=settings.betas)


@dataclass
class Training:
    """What training came to: the network (float32), the loss of every step, tokens read, and the next batch's place."""

    network: Refact
    losses: list[float] = field(default_factory=list)
    tokens: int = 0
    position: Position = field(default_factory=Position)


def train(
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    settings: TrainingSettings,
    *,
    state: Path | None = None,
    state_seconds: float = 180.0,
    device: str | torch.device = "cpu",
    say: Callable[[str], None] = lambda line: None,
) -> Training:
    """Train a network from its first weights.

    With a file `state`, what was reached is written there every `state_seconds` and once at the end, and taken up from
    there: a run that was killed ends with the same weights as one that was not, on the same machine with as many threads.
    """
    torch.manual_seed(settings.seed)
    config = RefactConfig(
        vocab_size=tokenizer.size,
        n_embd=settings.n_embd,
        n_layer=settings.n_layer,
        n_head=settings.n_head,
        n_positions=settings.n_positions,
        initializer_range=settings.initializer_range,
    )
    network = Refact(config)
    network.initialise(settings.seed)
    network.to(device)
    on_gpu = torch.device(device).type == "cuda"
    optimizer = optimizer_of(network, settings)
    training = Training(network)
    if state is not None and state.exists():
        _take_up(state, training, optimizer)
        say(f"step {len(training.losses):,}: taken up from {state}")
    saved = said = time.monotonic()
    tokens_said = training.tokens
    stream = batches(examples, tokenizer, settings.sequences, training.position)
    with residual_dropout(network) as set_dropout:
        while (step := len(training.losses)) < settings.steps:
            position, batch = next(stream)
            set_dropout(early_dropout(step, settings))
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, settings)
            # The attention kernel of a GPU is compiled for one length.
            loss = batch_loss(network, batch, settings.sequences.batch_tokens if on_gpu else None)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), settings.clip_norm)
            optimizer.step()
            training.losses.append(loss.item())
            training.tokens += len(batch.input_ids)
            training.position = replace(position, batch=position.batch + 1)
            now, last = time.monotonic(), step + 1 == settings.steps
            if (step + 1) % 50 == 0 or last:
                mean = sum(training.losses[-50:]) / len(training.losses[-50:])
                speed = (training.tokens - tokens_said) / (now - said)
                say(f"step {step + 1:,}/{settings.steps:,}  loss {mean:.3f}  {speed:,.0f} tokens/s")
                said, tokens_said = now, training.tokens
            if state is not None and (last or now - saved >= state_seconds):
                _save(state, training, optimizer)
                saved = now
    network.eval().requires_grad_(False)
    return training


def _save(state: Path, training: Training, optimizer: torch.optim.Optimizer) -> None:
    part = state.with_name(state.name + ".part")
    held = {
        "network": training.network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "losses": training.losses,
        "tokens": training.tokens,
        "position": asdict(training.position),
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    torch.save(held, part)
    os.replace(part, state)


def _take_up(state: Path, training: Training, optimizer: torch.optim.Optimizer) -> None:
    held = torch.load(state, map_location="cpu", weights_only=True)
    training.network.load_state_dict(held["network"])
    optimizer.load_state_dict(held["optimizer"])
    training.losses, training.tokens = held["losses"], held["tokens"]
    training.position = Position(**held["position"])
    torch.set_rng_state(held["random"])
    if held["random_cuda"]:
        torch.cuda.set_rng_state_all(held["random_cuda"])


def tokenizer_texts(examples: Sequence[Example], most_chars: int = TOKENIZER_CHARS) -> Iterator[str]:
    """Text to learn a tokenizer from: one example of a file, files by their content's hash, up to `most_chars`."""
    files = {example.content_id: example for example in reversed(examples)}
    chars = 0
    for _, example in sorted(files.items()):
        text = example.prefix + example.middle + example.suffix
        chars += len(text)
        if chars > most_chars:
            return
        yield text


def repositories_table(examples: Sequence[Example]) -> str:
    """Repositories, revisions, their licenses and how many examples are from each: tab-separated, by name."""
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
    say: Callable[[str], None] = _say,
) -> None:
    """Train on the examples of a folder and leave a checkpoint in `out`; a run that was killed is taken up."""
    partitions = read_examples(folder, held_out_share=settings.held_out_share, held_out_seed=settings.held_out_seed)
    say(f"{len(partitions.train):,} examples to train on, {len(partitions.held_out):,} of other repositories held out")
    work = out.with_name(out.name + ".part")
    work.mkdir(parents=True, exist_ok=True)
    described: dict[str, Any] = {
        "data": {"origin": origin, "manifest_sha256": sha256((folder / "manifest.json").read_bytes()).hexdigest()},
        "settings": asdict(settings),
    }
    described = json.loads(json.dumps(described))  # as it will be read again
    purpose = work / "training.json"
    if purpose.exists() and json.loads(purpose.read_text(encoding="utf-8")) != described:
        raise TrainingDataError(
            f"{work} holds a training on other data or with other settings: delete it, or finish it"
        )
    _write(purpose, json.dumps(described, indent=1))
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
        say=say,
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
    export(Model(network.config, network, tokenizer), out)
    _write(out / "repositories.tsv", repositories_table(seen))
    _write(out / "training.json", json.dumps(described, indent=1, ensure_ascii=False) + "\n")
    shutil.rmtree(work)
    say(f"{out}: {training.tokens:,} tokens of {len(seen):,} examples, {(time.monotonic() - started) / 60:.0f} minutes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help="a finished folder of `stackfim build`")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the checkpoint goes")
    parser.add_argument("--steps", type=int, default=TrainingSettings.steps)
    parser.add_argument("--learning-rate", type=float, default=TrainingSettings.learning_rate)
    parser.add_argument("--seed", type=int, default=0, help="another seed draws another order and other first weights")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="other numbers give other roundings")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--origin", default="", help="where the source code is from, a phrase for the card")
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
