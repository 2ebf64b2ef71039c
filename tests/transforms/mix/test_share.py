"""Shares of tokens, whichever source is scarce."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.transforms.mix.share import taken

TOKENS = st.lists(st.integers(1, 500), min_size=1, max_size=60)


def draws(count: int, seed: int) -> npt.NDArray[np.uint64]:
    return np.random.default_rng(seed).permutation(count).astype(np.uint64)


@given(TOKENS, TOKENS, st.floats(0.02, 0.98))
def test_the_share_is_off_by_half_a_row_at_most_and_the_scarce_source_is_taken_whole(
    fim: list[int], chat: list[int], share: float
) -> None:
    fim_tokens, chat_tokens = np.array(fim), np.array(chat)
    takes_fim, takes_chat = taken(fim_tokens, draws(len(fim), 1), chat_tokens, draws(len(chat), 2), share)
    assert takes_fim.all() or takes_chat.all()
    fim_total, chat_total = int(fim_tokens[takes_fim].sum()), int(chat_tokens[takes_chat].sum())
    if takes_fim.all() and not takes_chat.all():
        assert abs(chat_total - fim_total * share / (1 - share)) <= max(chat) / 2 + 1e-6
    if takes_chat.all() and not takes_fim.all():
        assert abs(fim_total - chat_total * (1 - share) / share) <= max(fim) / 2 + 1e-6


@given(st.integers(0, 2**31))
def test_what_is_taken_depends_on_draws_not_on_order(seed: int) -> None:
    random = np.random.default_rng(seed)
    chat, chat_draws = random.integers(1, 90, 200), draws(200, seed)
    fim, fim_draws = np.array([1_000]), draws(1, 0)
    _, takes = taken(fim, fim_draws, chat, chat_draws, 0.3)
    order = random.permutation(200)
    _, shuffled = taken(fim, fim_draws, chat[order], chat_draws[order], 0.3)
    assert (takes[order] == shuffled).all()


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 15])
def test_a_share_that_cannot_be_is_refused(share: float) -> None:
    one = np.ones(1, np.int64)
    with pytest.raises(ValueError, match=f"the share is {share}, expected a number above 0 and below 1"):
        taken(one, draws(1, 0), one, draws(1, 0), share)


def test_nothing_has_no_share() -> None:
    one, none = np.ones(1, np.int64), np.zeros(0, np.int64)
    with pytest.raises(ValueError, match="0 of conversations"):
        taken(one, draws(1, 0), none, draws(0, 0), 0.5)
