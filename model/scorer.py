"""Scores of fill-in-the-middle examples: how a model likes the middle, and whether it would stop where the middle does.

Examples are rendered in the layouts of `model.prompt` and packed one after the other into sequences of a token budget,
longest first; they do not see each other. Logits are made where a token of the middle or the end-of-text token is
predicted, nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from stackfim.model.checkpoint import Model
from stackfim.model.context import CHARS_PER_TOKEN, first_lines, fit_context_within, last_lines
from stackfim.model.ends import Row, line_ends
from stackfim.model.packing import best_fit
from stackfim.model.prompt import LAYOUTS, SPECIAL_TOKENS, fim_ids
from stackfim.model.refact import Refact
from stackfim.model.tokenizer import Tokenizer

# Tokens in a sequence. A GPU wants large products, and its attention kernel is compiled for one length; a CPU's caches
# want small ones.
TOKEN_BUDGET = {"cuda": 32_768, "cpu": 2_048}

# Logits made at a time: 64 MB of float32.
LOGITS_AT_A_TIME = 1 << 24


@dataclass(frozen=True, slots=True)
class Score:
    """What a model says of one middle in one layout. Probabilities are of the end-of-text token.

    `nll_sum` is the negative log likelihood, in nats, of the middle's tokens and the end-of-text token after them;
    `nll` is its mean over these `tokens + 1`. `p_eot_end` is the probability at the middle's end, `p_eot_start` before
    its first token, and `p_eot_early` the highest at a line end inside the middle (`line_ends`); None where there is
    no such place. `greedy_match` tells whether every one of these tokens is the likeliest, so that greedy decoding
    gives the middle exactly and stops.
    """

    nll: float
    nll_sum: float
    p_eot_end: float
    p_eot_start: float
    p_eot_early: float | None
    greedy_match: bool


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """Scores of one row by layout, and `tokens`, the length of its middle.

    Where a row has no score, every layout is None and `reason` says why: `middle_too_long` (the middle and the four
    special tokens exceed the model's context), `cursor_lines_too_long` (they do with the lines at the cursor, which are
    never cut) or `not_finite` (the network overflowed).
    """

    tokens: int
    scores: Mapping[str, Score | None]
    reason: str | None


class Scorer:
    """Scores rows with one model; the same rows give the same bits on one machine."""

    def __init__(
        self,
        model: Model,
        *,
        layouts: Sequence[str] = LAYOUTS,
        context_tokens: int | None = None,
        token_budget: int | None = None,
        compiled: bool = False,
    ) -> None:
        """`context_tokens` bounds prefix and suffix, where the lines at the cursor need no more; None for all that the
        network reads. `token_budget` bounds the tokens of a packed sequence (a longer row gets one of its own).

        `compiled` runs the network's MLPs through `torch.compile`, which fuses the gate into the products around it.
        Raises ValueError for an unknown layout, a bound below 1 or a model without a tokenizer.
        """
        unknown = [layout for layout in layouts if layout not in LAYOUTS]
        if unknown or not layouts:
            raise ValueError(f"layouts are {list(layouts)}, expected some of {', '.join(LAYOUTS)}")
        for name, bound in (("context_tokens", context_tokens), ("token_budget", token_budget)):
            if bound is not None and bound < 1:
                raise ValueError(f"{name} is {bound}, expected 1 or more")
        if model.tokenizer is None:
            raise ValueError("the checkpoint has no tokenizer: expected tokenizer.json beside its weights")
        self.network: Refact = model.network
        self.tokenizer: Tokenizer = model.tokenizer
        self.context_tokens = min(context_tokens or self.network.config.n_positions, self.network.config.n_positions)
        self.layouts = tuple(dict.fromkeys(layouts))
        self.device = next(self.network.parameters()).device
        self.token_budget = token_budget or TOKEN_BUDGET.get(self.device.type, TOKEN_BUDGET["cpu"])
        if compiled:
            for block in self.network.transformer["h"].children():
                block.get_submodule("mlp").compile(dynamic=True)

    def score(self, rows: Sequence[Row]) -> list[ScoredRow]:
        """Scores of rows (prefix, middle, suffix), in their order; neighbours change them by less than 1e-3."""
        prompts = self._prompts(rows)
        sequences = [
            _Sequence(number, layout, fim_ids(*prompt.context, layout, self.tokenizer.sentinels), prompt.middle)
            for number, prompt in enumerate(prompts)
            if prompt.context is not None
            for layout in self.layouts
        ]
        groups = best_fit([sequence.length for sequence in sequences], self.token_budget)
        packs = [[sequences[number] for number in group] for group in groups]
        # All packs are under way before the first result is waited for: a GPU never stands still between two.
        columns = [self._columns(pack) for pack in packs]
        found: list[dict[str, Score | None]] = [dict.fromkeys(self.layouts) for _ in rows]
        for pack, columns_of_pack in zip(packs, columns, strict=True):
            begin, values = 0, columns_of_pack.cpu().double().numpy()
            for sequence in pack:
                end = begin + len(sequence.middle) + 1
                places = line_ends(self.tokenizer, sequence.middle)
                found[sequence.row][sequence.layout] = _score(values[:, begin:end], places)
                begin = end
        return [_row(prompt, scores) for prompt, scores in zip(prompts, found, strict=True)]

    def _prompts(self, rows: Sequence[Row]) -> list[_Prompt]:
        # Text this far from the cursor is not encoded: there are more lines nearby than the context holds.
        chars = CHARS_PER_TOKEN * self.context_tokens
        near = [
            (last_lines(prefix, chars, "\n"), middle, first_lines(suffix, chars, "\n"))
            for prefix, middle, suffix in rows
        ]
        encoded = [self.tokenizer.encode_batch(texts) for texts in zip(*near, strict=True)]
        prompts = []
        for (prefix, _, suffix), head, middle, tail in zip(near, *encoded, strict=True):
            room = self.network.config.n_positions - len(middle) - SPECIAL_TOKENS
            context = fit_context_within(self.tokenizer, prefix, suffix, self.context_tokens, room, (head, tail))
            reason = "middle_too_long" if room < 0 else "cursor_lines_too_long"
            prompts.append(_Prompt(context, middle, None if context else reason))
        return prompts

    @torch.inference_mode()
    def _columns(self, sequences: Sequence[_Sequence]) -> torch.Tensor:
        """Of one pack, wherever a token of a middle or an end-of-text is predicted, in order: float32 (3, places).

        Rows are the log probability of that token, that of end-of-text, and 1 where the token is the likeliest.
        """
        ids: list[int] = []
        at: list[int] = []
        targets: list[int] = []
        for sequence in sequences:
            at += range(len(ids) + len(sequence.prompt) - 1, len(ids) + sequence.length)
            ids += sequence.prompt + sequence.middle
            targets += [*sequence.middle, self.tokenizer.end_of_text]
        segments = [sequence.length for sequence in sequences]
        if self.device.type == "cuda":
            # One length for all sequences: another would compile the attention kernel again.
            segments.append(-len(ids) % self.token_budget)
            ids += [self.tokenizer.end_of_text] * segments[-1]
        input_ids = torch.tensor([ids], device=self.device)
        hidden = self.network.hidden(input_ids, segments=segments)[0]
        hidden = hidden[torch.tensor(at, device=self.device)]
        return self._judged(hidden, torch.tensor(targets, device=self.device))

    def _judged(self, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The columns of hidden states (places, width) and their target ids, a few logits at a time."""
        step = max(1, LOGITS_AT_A_TIME // self.network.config.vocab_size)
        columns = []
        for begin in range(0, len(hidden), step):
            logits = self.network.logits(hidden[begin : begin + step])
            target = targets[begin : begin + step]
            total = logits.logsumexp(-1)
            log_p = logits.gather(1, target[:, None])[:, 0] - total
            log_p_eot = logits[:, self.tokenizer.end_of_text] - total
            # Rows beyond the vocabulary are padding, which generation never produces.
            greedy = logits[:, : self.tokenizer.size].argmax(-1) == target
            columns.append(torch.stack([log_p, log_p_eot, greedy.to(log_p.dtype)]))
        return torch.cat(columns, dim=1)


@dataclass(frozen=True, slots=True)
class _Prompt:
    context: tuple[Sequence[int], Sequence[int]] | None
    middle: list[int]
    reason: str | None


@dataclass(frozen=True, slots=True)
class _Sequence:
    row: int
    layout: str
    prompt: list[int]
    middle: list[int]

    @property
    def length(self) -> int:
        """Tokens that the network reads; end-of-text is predicted, not read."""
        return len(self.prompt) + len(self.middle)


def _score(columns: np.ndarray, line_ends: Sequence[int]) -> Score | None:
    if not np.isfinite(columns).all():
        return None
    log_p, log_p_eot, greedy = columns
    nll_sum = -float(log_p.sum())
    return Score(
        nll=nll_sum / len(log_p),
        nll_sum=nll_sum,
        p_eot_end=math.exp(log_p_eot[-1]),
        p_eot_start=math.exp(log_p_eot[0]),
        p_eot_early=max((math.exp(log_p_eot[count]) for count in line_ends), default=None),
        greedy_match=bool(greedy.all()),
    )


def _row(prompt: _Prompt, scores: Mapping[str, Score | None]) -> ScoredRow:
    if prompt.reason is None and None in scores.values():
        return ScoredRow(len(prompt.middle), dict.fromkeys(scores), "not_finite")
    return ScoredRow(len(prompt.middle), scores, prompt.reason)
