"""Which rows of two sources are taken, so that one of them has a given share of all tokens."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def taken(
    fim_tokens: npt.NDArray[np.int64],
    fim_draws: npt.NDArray[np.uint64],
    chat_tokens: npt.NDArray[np.int64],
    chat_draws: npt.NDArray[np.uint64],
    chat_share: float,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which rows of each source are taken, bool (rows,) each, so that conversations have `chat_share` of all tokens.

    All rows of the scarce source are taken and, in the order of their draws, as many of the other one as the share needs;
    its tokens miss the exact number by at most half of those of one row. Each row has a draw of its own, so that the choice
    does not depend on the order of rows. Raises ValueError for a share that is not between 0 and 1, and for a source
    without tokens.
    """
    if not 0 < chat_share < 1:
        raise ValueError(f"the share is {chat_share}, expected a number above 0 and below 1")
    fim_total, chat_total = int(fim_tokens.sum()), int(chat_tokens.sum())
    if not fim_total or not chat_total:
        raise ValueError(f"both sources need tokens, got {fim_total} of examples and {chat_total} of conversations")
    wanted_chat = fim_total * chat_share / (1 - chat_share)
    if chat_total >= wanted_chat:
        return np.ones(len(fim_tokens), bool), _up_to(chat_tokens, chat_draws, wanted_chat)
    return _up_to(fim_tokens, fim_draws, chat_total * (1 - chat_share) / chat_share), np.ones(len(chat_tokens), bool)


def _up_to(tokens: npt.NDArray[np.int64], draws: npt.NDArray[np.uint64], wanted: float) -> npt.NDArray[np.bool_]:
    """The rows with the lowest draws that have at most `wanted` tokens in all, and the row that best fills the rest."""
    order = np.argsort(draws, kind="stable")
    totals = np.concatenate([[0], np.cumsum(tokens[order])])
    count = int(np.searchsorted(totals, wanted, side="right")) - 1
    chosen = np.zeros(len(tokens), bool)
    chosen[order[:count]] = True
    missing = wanted - totals[count]
    errors = np.abs(tokens[order[count:]] - missing)
    if len(errors) and errors.min() < missing:
        chosen[order[count + int(errors.argmin())]] = True
    return chosen
