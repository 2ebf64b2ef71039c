"""Scores of fill-in-the-middle examples: how likely a model finds the middle, and whether it would stop at its end.

Examples become prompts (`model.prompt`), which are packed, longest first, into sequences of a token budget; they do not
attend to each other. Logits are made only where a token of the middle or the end-of-text token is predicted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from stackfim.model.checkpoint import Model
from stackfim.model.context import CHARS_PER_TOKEN, fit_context_within
from stackfim.model.ends import Row, line_ends
from stackfim.model.interfaces import FimTokenizer, Network
from stackfim.model.packing import best_fit
from stackfim.model.prompt import FimPrompt
from stackfim.schemas.layout import LAYOUTS
from stackfim.transforms.render.budget import first_lines, last_lines

# Tokens in a sequence. A GPU is fast with large products, and its attention kernel is compiled for one length; a CPU is
# fast with what its caches hold.
TOKEN_BUDGET = {"cuda": 32_768, "cpu": 2_048}

# Logits made at a time: 64 MB of float32.
LOGITS_AT_A_TIME = 1 << 24


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one middle in one layout. Probabilities are those of the end-of-text token.

    `nll_sum` is the negative log likelihood, in nats, of the middle's tokens and the end-of-text token after them;
    `nll` is its mean over these `tokens + 1`. `p_eot_end` is the probability at the middle's end, `p_eot_start` before
    its first token, and `p_eot_early` the highest at a line end inside the middle (`line_ends`), None where there is
    no such place. `greedy_match` is true if each of these tokens is the likeliest in its place, so that greedy decoding
    writes the middle exactly and then stops.
    """

    nll: float
    nll_sum: float
    p_eot_end: float
    p_eot_start: float
    p_eot_early: float | None
    greedy_match: bool


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """The scores of one row by layout, and `tokens`, the length of its middle.

    Where a row has no score, every layout is None and `reason` says why: `middle_too_long` (the middle and the prompt's
    special tokens exceed the model's context), `cursor_lines_too_long` (they exceed it together with the lines at the
    cursor, which are never cut) or `not_finite` (the network overflowed).
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
    ) -> None:
        """`context_tokens` bounds prefix and suffix, unless the lines at the cursor need more; None for as much as the
        network reads. `token_budget` bounds the tokens of a packed sequence (a longer row gets one of its own).

        Raises ValueError for a layout that the model does not have, a bound below 1 or a model without a tokenizer.
        """
        if not layouts:
            raise ValueError(f"layouts is empty, expected some of {', '.join(LAYOUTS)}")
        for name, bound in (("context_tokens", context_tokens), ("token_budget", token_budget)):
            if bound is not None and bound < 1:
                raise ValueError(f"{name} is {bound}, expected 1 or more")
        if model.tokenizer is None:
            raise ValueError("the checkpoint has no tokenizer: expected tokenizer.json beside its weights")
        self.network: Network = model.network
        self.tokenizer: FimTokenizer = model.tokenizer
        self.prompts = {layout: FimPrompt(self.tokenizer, layout) for layout in layouts}
        self.context_length = self.network.config.context_length
        self.context_tokens = min(context_tokens or self.context_length, self.context_length)
        self.device = self.network.device
        self.token_budget = token_budget or TOKEN_BUDGET.get(self.device.type, TOKEN_BUDGET["cpu"])

    def score(self, rows: Sequence[Row]) -> list[ScoredRow]:
        """Scores of rows (prefix, middle, suffix), in their order; the rows around a row change them by less than 1e-3."""
        encoded = self._encoded(rows)
        sequences = [
            _Sequence(number, layout, prompt.ids(*row.context), row.middle)
            for number, row in enumerate(encoded)
            if row.context is not None
            for layout, prompt in self.prompts.items()
        ]
        groups = best_fit([sequence.length for sequence in sequences], self.token_budget)
        packs = [[sequences[number] for number in group] for group in groups]
        # All packs are queued before the first result is waited for, so that a GPU is never idle between two.
        columns = [self._columns(pack) for pack in packs]
        found: list[dict[str, Score | None]] = [dict.fromkeys(self.prompts) for _ in rows]
        for pack, columns_of_pack in zip(packs, columns, strict=True):
            begin, values = 0, columns_of_pack.cpu().double().numpy()
            for sequence in pack:
                end = begin + len(sequence.middle) + 1
                places = line_ends(self.tokenizer, sequence.middle)
                found[sequence.row][sequence.layout] = _score(values[:, begin:end], places)
                begin = end
        return [_scored(row, scores) for row, scores in zip(encoded, found, strict=True)]

    def _encoded(self, rows: Sequence[Row]) -> list[_EncodedRow]:
        # Text further from the cursor than this is not encoded: there are more lines nearby than the context holds.
        chars = CHARS_PER_TOKEN * self.context_tokens
        near = [(last_lines(prefix, chars), middle, first_lines(suffix, chars)) for prefix, middle, suffix in rows]
        columns = [self.tokenizer.encode_batch(texts) for texts in zip(*near, strict=True)]
        special_tokens = max(prompt.special_tokens for prompt in self.prompts.values())
        encoded = []
        for (prefix, _, suffix), head, middle, tail in zip(near, *columns, strict=True):
            room = self.context_length - len(middle) - special_tokens
            context = fit_context_within(self.tokenizer, prefix, suffix, self.context_tokens, room, (head, tail))
            reason = "middle_too_long" if room < 0 else "cursor_lines_too_long"
            encoded.append(_EncodedRow(context, middle, None if context else reason))
        return encoded

    @torch.inference_mode()
    def _columns(self, sequences: Sequence[_Sequence]) -> torch.Tensor:
        """Three numbers for each place in a pack where a token of a middle or an end-of-text is predicted, in order.

        Float32 (3, places): the log probability of that token, that of end-of-text, and 1 where the token is the likeliest.
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
            # One length for all sequences, since the attention kernel would be compiled again for another.
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
            # Rows after the vocabulary are padding, which generation never produces.
            greedy = logits[:, : self.tokenizer.size].argmax(-1) == target
            columns.append(torch.stack([log_p, log_p_eot, greedy.to(log_p.dtype)]))
        return torch.cat(columns, dim=1)


@dataclass(frozen=True, slots=True)
class _EncodedRow:
    """Ids of prefix and suffix as far as they fit, and of the middle; without a context, the reason."""

    context: tuple[Sequence[int], Sequence[int]] | None
    middle: list[int]
    reason: str | None


@dataclass(frozen=True, slots=True)
class _Sequence:
    """A row, by its number, in one layout."""

    row: int
    layout: str
    prompt: list[int]
    middle: list[int]

    @property
    def length(self) -> int:
        """Tokens that the network reads; end-of-text is only predicted."""
        return len(self.prompt) + len(self.middle)


def _score(columns: npt.NDArray[np.float64], line_ends: Sequence[int]) -> Score | None:
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


def _scored(row: _EncodedRow, scores: Mapping[str, Score | None]) -> ScoredRow:
    if row.reason is None and None in scores.values():
        return ScoredRow(len(row.middle), dict.fromkeys(scores), "not_finite")
    return ScoredRow(len(row.middle), scores, row.reason)
