"""What evaluation compares: ends off by a line, shuffled lines, ranks; and figures that tell a good model from a bad one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.model.checkpoint import Model
from stackfim.model.ends import line_too_many
from stackfim.model.refact import Refact
from stackfim.model.tokenizer import Tokenizer
from stackfim.model.training.evaluate import auc, figures, missed_bars, ngram_nll, sampled, shuffled, training_sequences
from stackfim.model.training.ngram import KneserNey
from stackfim.model.training.sequences import Example, SequenceSettings


def test_real_middles_keep_their_lines_when_shuffled(own_examples: list[Example]) -> None:
    found = 0
    for number, example in enumerate(own_examples):
        other = shuffled(example.row, number)
        if other is None:
            continue
        found += 1
        assert (other[0], other[2]) == (example.prefix, example.suffix)
        assert other[1] != example.middle
        assert other == shuffled(example.row, number)
        tail = len(example.middle) - len(example.middle.rstrip("\r\n"))
        before, after = (middle[: len(middle) - tail].split("\n") for middle in (example.middle, other[1]))
        assert sorted(before) == sorted(after)
        assert other[1][len(other[1]) - tail :] == example.middle[len(example.middle) - tail :]
    assert found > 20
    assert shuffled(("", "a\na\na", ""), 0) is None
    assert shuffled(("", "a\nb", ""), 0) is None


scores = st.lists(st.integers(0, 9), min_size=1, max_size=30)


@given(scores, scores)
def test_the_area_is_the_share_of_pairs_in_order(positive: list[int], negative: list[int]) -> None:
    pairs = [(p > n) + 0.5 * (p == n) for p in positive for n in negative]
    assert auc(positive, negative) == pytest.approx(sum(pairs) / len(pairs))


@pytest.mark.parametrize(
    ("middle", "suffix", "later"),
    [
        ("a", "\n  c\nd", "a\n  c"),
        ("a\n", "\n  c\nd", "a\n\n  c\n"),
        ("a", ")\nc", None),
        ("", "\nc", None),
        ("a", "\n  \n", None),
    ],
)
def test_one_line_too_many_after_any_middle(middle: str, suffix: str, later: str | None) -> None:
    assert line_too_many(("p", middle, suffix)) == later


def test_a_random_network_guesses(
    network: Callable[..., Refact], tokenizer: Tokenizer, own_examples: list[Example]
) -> None:
    made = network(vocab_size=2112, n_positions=512, n_layer=1)
    made.initialise(0)
    examples = [example for example in own_examples if len(example.prefix) + len(example.suffix) < 900]
    measured = figures(Model(made, tokenizer), examples, most_pairs=10, layouts=["psm"])["psm"]
    assert measured["rows"] == len(examples)
    assert measured["tokens"] == sum(len(tokenizer.encode(example.middle)) + 1 for example in examples)
    assert measured["nll"] == pytest.approx(np.log(2112), abs=0.1)
    assert measured["greedy_match"] == 0.0
    assert missed_bars({"psm": {**measured, "auc_end": 0.79, "auc_start": 0.81, "shuffled_worse": 0.96}}) == [
        "psm: auc_end is 0.790, expected 0.8 or more"
    ]


def test_the_n_gram_model_is_judged_on_the_same_tokens(tokenizer: Tokenizer, own_examples: list[Example]) -> None:
    settings = SequenceSettings(batch_tokens=600)
    sequences = training_sequences(own_examples, tokenizer, settings, 8)
    assert all(sequence[0] in (1, 3) and sequence[-1] == 0 for sequence in sequences)
    ngram = KneserNey(sequences, tokenizer.size)
    measured = ngram_nll(ngram, tokenizer, own_examples[:5], 4096, 4096)
    # Middles and their end, written out for the first layout.
    total, tokens = 0.0, 0
    for example in own_examples[:5]:
        prefix, middle, suffix = (tokenizer.encode(part) for part in example.row)
        told = ngram.log_probabilities([[1, *prefix, 3, *suffix, 2, *middle, 0]])[0]
        total -= told[-len(middle) - 1 :].sum()
        tokens += len(middle) + 1
    assert measured["psm"] == pytest.approx(total / tokens)
    assert missed_bars({"psm": {"auc_end": 1, "auc_start": 1, "shuffled_worse": 1, "nll": 3.0, "ngram_nll": 2.9}}) == [
        "psm: nll is 3.000, expected below the 5-gram's 2.900"
    ]


def test_a_sample_is_the_same_again_and_in_order(own_examples: list[Example]) -> None:
    drawn = sampled(own_examples, 20)
    assert drawn == sampled(own_examples, 20)
    assert [own_examples.index(example) for example in drawn] == sorted(map(own_examples.index, drawn))
    assert len(drawn) == 20
    assert sampled(own_examples, 20, seed=1) != drawn
    assert sampled(own_examples, 10_000) == own_examples
