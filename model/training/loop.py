"""The training loop: its settings and schedules, the loss, the optimizer, and the state that a killed run resumes from."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from stackfim.model.refact import Refact
from stackfim.model.refact_config import RefactConfig
from stackfim.model.tokenizer import Tokenizer
from stackfim.model.training.sequences import Batch, Example, Position, SequenceSettings, batches


@dataclass(frozen=True)
class TrainingSettings:
    """Everything beside the data that determines the bytes of a trained checkpoint."""

    steps: int = 5000
    sequences: SequenceSettings = field(default_factory=SequenceSettings)
    # About 1.5 million parameters beside the embeddings.
    n_embd: int = 192
    n_layer: int = 4
    n_head: int = 6
    n_positions: int = 512
    vocabulary: int = 4096
    # About 1 / sqrt(n_embd): a network this narrow learns much more slowly with 0.02, which suits a width of 2,048.
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
    # The first seed with which about a tenth of the published checkpoint's examples is held out, in at least four
    # languages, and of no language more than half.
    held_out_seed: int = 135

    @property
    def seed(self) -> int:
        """The seed of the order, the draws, the first weights and the dropout."""
        return self.sequences.seed


def with_steps(settings: TrainingSettings, steps: int) -> TrainingSettings:
    """The same training in another number of steps, with all parts of the schedule in proportion."""
    parts = ("warm_up_steps", "cool_down_step", "dropout_steps")
    scaled = {name: round(getattr(settings, name) * steps / settings.steps) for name in parts}
    return replace(settings, steps=steps, **scaled)


def learning_rate(step: int, settings: TrainingSettings) -> float:
    """The learning rate of a step: a linear warm-up, a plateau, then a linear cool-down to the last rate.

    With a cool-down (Haegele et al. 2024), the number of steps need not be known in advance.
    """
    if step > settings.cool_down_step:
        left = (settings.steps - step) / (settings.steps - settings.cool_down_step)
        return settings.last_learning_rate + left * (settings.learning_rate - settings.last_learning_rate)
    return settings.learning_rate * min(1.0, (step + 1) / settings.warm_up_steps)


def early_dropout(step: int, settings: TrainingSettings) -> float:
    """The dropout of a step: it falls from `dropout` to 0 over the first `dropout_steps`."""
    return settings.dropout * max(0.0, 1 - step / settings.dropout_steps) if settings.dropout_steps else 0.0


@contextmanager
def residual_dropout(network: Refact) -> Iterator[Callable[[float], None]]:
    """Dropout on what every attention and MLP adds; the context is the function that sets its probability.

    It is added from outside, by hooks, so that the network itself stays free of it.
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
    """The weighted mean loss of a batch in nats, a scalar; padded to `padded_to` tokens where all must have one length.

    It is the cross entropy of the targets and, where a middle does not end, `-log(1 - p)` of end-of-text (the
    unlikelihood loss of Welleck et al. 2020).
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
    no_end_logits = logits[at_no_end]
    end_of_text = network.config.eos_token_id
    others = torch.cat([no_end_logits[:, :end_of_text], no_end_logits[:, end_of_text + 1 :]], dim=1)
    no_ends = (no_end_logits.logsumexp(-1) - others.logsumexp(-1)) * no_end_weights[at][at_no_end]
    total: Tensor = losses.sum() + no_ends.sum()
    return total / (weights.sum() + no_end_weights.sum())


def optimizer_of(network: Refact, settings: TrainingSettings) -> torch.optim.Optimizer:
    """The Lion optimizer, with weight decay for all weights but those of the norms."""
    from lion_pytorch import Lion

    matrices = [weight for weight in network.parameters() if weight.dim() > 1]
    vectors = [weight for weight in network.parameters() if weight.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    optimizer: torch.optim.Optimizer = Lion(groups, lr=settings.learning_rate, betas=settings.betas)
    return optimizer


@dataclass
class Training:
    """The result of training: the network (float32), the loss of every step, tokens read, and where the next batch is."""

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
    report: Callable[[str], None] = lambda line: None,
) -> Training:
    """Train a network from its first weights.

    With a file `state`, progress is saved there every `state_seconds` and at the end, and resumed from there: a run that
    was killed ends with the same weights as one that was not, on the same machine with the same number of threads.
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
        _resume(state, training, optimizer)
        report(f"step {len(training.losses):,}: resumed from {state}")
    saved = reported = time.monotonic()
    tokens_reported = training.tokens
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
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(network.parameters(), settings.clip_norm)
            optimizer.step()
            training.losses.append(loss.item())
            training.tokens += len(batch.input_ids)
            training.position = replace(position, batch=position.batch + 1)
            now, last = time.monotonic(), step + 1 == settings.steps
            if (step + 1) % 50 == 0 or last:
                mean = sum(training.losses[-50:]) / len(training.losses[-50:])
                speed = (training.tokens - tokens_reported) / (now - reported)
                report(f"step {step + 1:,}/{settings.steps:,}  loss {mean:.3f}  {speed:,.0f} tokens/s")
                reported, tokens_reported = now, training.tokens
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


def _resume(state: Path, training: Training, optimizer: torch.optim.Optimizer) -> None:
    held = torch.load(state, map_location="cpu", weights_only=True)
    training.network.load_state_dict(held["network"])
    optimizer.load_state_dict(held["optimizer"])
    training.losses, training.tokens = held["losses"], held["tokens"]
    training.position = Position(**held["position"])
    torch.set_rng_state(held["random"])
    if held["random_cuda"]:
        torch.cuda.set_rng_state_all(held["random_cuda"])
