"""Scores against the formula written out, row by row; packing, truncation, and rows that cannot be scored."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stackfim.model.checkpoint import Model
from stackfim.model.ends import line_ends
from stackfim.model.generation import complete
from stackfim.model.packing import best_fit
from stackfim.model.prompt import FimPrompt
from stackfim.model.refact import Refact
from stackfim.model.scorer import Score, ScoredRow, Scorer
from stackfim.model.tokenizer import Tokenizer
from stackfim.schemas.layout import LAYOUTS

Row = tuple[str, str, str]


def real_rows(count: int, seed: int = 0) -> list[Row]:
    """Random cuts through the lines of this file."""
    lines = Path(__file__).read_text().splitlines(keepends=True)
    generator = random.Random(seed)
    rows = []
    for _ in range(count):
        begin = generator.randrange(len(lines) - 6)
        text = "".join(lines[begin : begin + 6])
        a, b = sorted(generator.randrange(len(text) + 1) for _ in range(2))
        rows.append((text[:a], text[a : min(b, a + 60)], text[min(b, a + 60) :]))
    return rows


def written_out(model: Model, row: Row, layout: str) -> Score:
    """The scores of one row by their definitions, from the whole row's logits in float64."""
    tokenizer = model.tokenizer
    assert tokenizer is not None
    prefix, middle, suffix = (tokenizer.encode(part) for part in row)
    if layout == "psm":
        prompt = [1, *prefix, 3, *suffix, 2]
    else:
        prompt = [3, *suffix, 1, *prefix, 2]
    hidden = model.network.hidden(torch.tensor([[*prompt, *middle]]))
    logits = model.network.logits(hidden)[0, len(prompt) - 1 :].double()
    log_p = logits.log_softmax(-1)
    target = torch.tensor([*middle, 0])
    nll = -log_p[range(len(target)), target]
    p_eot = log_p[:, 0].exp()
    places = line_ends(tokenizer, middle)
    return Score(
        nll=nll.mean().item(),
        nll_sum=nll.sum().item(),
        p_eot_end=p_eot[-1].item(),
        p_eot_start=p_eot[0].item(),
        p_eot_early=max((p_eot[place].item() for place in places), default=None),
        greedy_match=bool((logits[:, : tokenizer.size].argmax(-1) == target).all()),
    )


def close(one: Score, other: Score, within: float = 1e-3) -> bool:
    early = (one.p_eot_early is None) == (other.p_eot_early is None) and one.greedy_match == other.greedy_match
    pairs = [(getattr(one, name), getattr(other, name)) for name in ("nll", "p_eot_end", "p_eot_start", "p_eot_early")]
    return early and all(a is None or abs(a - b) < within for a, b in pairs)


def score_of(row: ScoredRow, layout: str) -> Score:
    score = row.scores[layout]
    assert score is not None
    return score


@pytest.mark.parametrize("layout", LAYOUTS)
def test_scores_are_those_of_the_definition(small: Model, layout: str) -> None:
    rows = real_rows(30)
    scored = Scorer(small, layouts=[layout]).score(rows)
    for row, result in zip(rows, scored, strict=True):
        expected = written_out(small, row, layout)
        assert close(score_of(result, layout), expected)
        assert score_of(result, layout).nll_sum == pytest.approx(expected.nll_sum, abs=1e-2)
    assert any(score_of(result, layout).p_eot_early is not None for result in scored)


def test_the_two_layouts_differ_in_their_prompt_alone(small: Model, tokenizer: Tokenizer) -> None:
    scorer = Scorer(small)
    [both] = scorer.score([("def f(x):\n    ", "return x", "\n")])
    assert set(both.scores) == {"psm", "spm"}
    assert score_of(both, "psm") != score_of(both, "spm")
    [same] = scorer.score([("", "return x", "")])
    assert FimPrompt(tokenizer, "psm").ids([7], [8, 9]) == [1, 7, 3, 8, 9, 2]
    assert FimPrompt(tokenizer, "spm").ids([7], [8, 9]) == [3, 8, 9, 1, 7, 2]
    assert same.tokens == len(Scorer(small).tokenizer.encode("return x"))


def test_only_the_layouts_asked_for_are_scored(small: Model) -> None:
    [row] = Scorer(small, layouts=["spm"]).score([("a", "b", "c")])
    assert list(row.scores) == ["spm"]


def test_an_empty_middle_is_judged_by_its_end_alone(small: Model) -> None:
    [row] = Scorer(small).score([("x = 1", "", "\ny = 2\n")])
    score = score_of(row, "psm")
    assert row.tokens == 0
    assert score.p_eot_start == score.p_eot_end
    assert score.nll == score.nll_sum == pytest.approx(-math.log(score.p_eot_end))
    assert score.p_eot_early is None


def test_no_rows_give_no_scores(small: Model) -> None:
    assert Scorer(small).score([]) == []


@pytest.mark.parametrize("budget", [1, 100, 700, 100_000])
def test_scores_do_not_depend_on_the_packing(small: Model, budget: int) -> None:
    rows = real_rows(40)
    expected = Scorer(small).score(rows)
    shuffled = list(range(len(rows)))
    random.Random(budget).shuffle(shuffled)
    scored = Scorer(small, token_budget=budget).score([rows[number] for number in shuffled])
    for number, result in zip(shuffled, scored, strict=True):
        assert result.tokens == expected[number].tokens
        for layout in LAYOUTS:
            assert close(score_of(result, layout), score_of(expected[number], layout))


def test_the_same_rows_give_the_same_bits(small: Model) -> None:
    rows = real_rows(20)
    assert Scorer(small).score(rows) == Scorer(small).score(rows)


def test_compiled_scores_are_the_same(network: Callable[..., Refact], tokenizer: Tokenizer) -> None:
    made = network(vocab_size=2112, n_layer=1)
    rows = real_rows(4)
    model = Model(made, tokenizer)
    expected = Scorer(model, layouts=["psm"]).score(rows)
    made.compile_mlps()
    assert made.get_submodule("transformer.h.0.mlp")._compiled_call_impl is not None
    # Compiling needs a C++ compiler: the network runs uncompiled, so that the test needs none.
    with torch.compiler.set_stance("force_eager"):
        scored = Scorer(model, layouts=["psm"]).score(rows)
    assert all(close(score_of(a, "psm"), score_of(b, "psm")) for a, b in zip(scored, expected, strict=True))


def test_sentinels_in_a_row_are_text(small: Model) -> None:
    rows = [("<fim_suffix>x", "<|endoftext|>", "<fim_middle>")]
    [row] = Scorer(small, layouts=["psm"]).score(rows)
    assert row.tokens > 3
    assert close(score_of(row, "psm"), written_out(small, rows[0], "psm"))


def test_padding_rows_of_the_network_are_no_rival_to_a_greedy_match(tokenizer: Tokenizer, network: Any) -> None:
    made = network(vocab_size=2112)
    with torch.no_grad():
        made.lm_head.weight[:2048] = 0
        made.lm_head.weight[0] = 1e-3 * made.ln_f.weight
        made.lm_head.weight[2048:] *= 100
    model = Model(made, tokenizer)
    scores = [
        score_of(row, "psm") for row in Scorer(model, layouts=["psm"]).score([(p, "", s) for p, _, s in real_rows(9)])
    ]
    assert any(score.greedy_match for score in scores)


# A network that has learned a few rows

LEARNED: list[Row] = [
    ("def add(a, b):\n    ", "return a + b", "\n\n"),
    ("for x in y:\n    ", "if x:\n        print(x)\n    use(x)", "\nend()\n"),
    ("value = 1", "", "\nother = 2\n"),
]


@pytest.fixture(scope="module")
def learned(tokenizer: Tokenizer, network: Callable[..., Refact]) -> Model:
    """A network trained on three rows until it knows them by heart."""
    made = network(vocab_size=2112, n_layer=1)
    made.initialise(0)
    made.requires_grad_(True)
    ids: list[int] = []
    segments, targets = [], []
    for layout in LAYOUTS:
        for row in LEARNED:
            prefix, middle, suffix = (tokenizer.encode(part) for part in row)
            prompt = FimPrompt(tokenizer, layout).ids(prefix, suffix)
            segments.append(len(prompt) + len(middle))
            targets += [-100] * (len(prompt) - 1) + middle + [0]
            ids += prompt + middle
    optimizer = torch.optim.Adam(made.parameters(), lr=1e-2)
    for _ in range(40):
        logits = made(torch.tensor([ids]), segments=segments)[0]
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(targets))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    return Model(made.requires_grad_(False), tokenizer)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_known_row_matches_greedily_and_is_what_decoding_gives(learned: Model, layout: str) -> None:
    for row, result in zip(LEARNED, Scorer(learned).score(LEARNED), strict=True):
        score = score_of(result, layout)
        assert score.greedy_match
        assert score.nll < 0.2
        assert score.p_eot_end > 0.8
        written = complete(learned, row[0], row[2], layout=layout)
        assert (written.text, written.stop) == (row[1], "end_of_text")


def test_an_end_moved_by_a_line_shows(learned: Model) -> None:
    prefix, middle, suffix = LEARNED[1]
    line = middle.rpartition("\n")[0]
    scored = Scorer(learned, layouts=["psm"]).score([(prefix, middle, suffix), (prefix, line, suffix)])
    true_end, moved = (score_of(row, "psm") for row in scored)
    assert true_end.p_eot_end > 0.8 > moved.p_eot_end
    assert true_end.p_eot_early is not None
    assert true_end.p_eot_early < 0.2
    assert not moved.greedy_match
    longer = score_of(Scorer(learned, layouts=["psm"]).score([(prefix, middle + "\nmore()", suffix)])[0], "psm")
    assert longer.p_eot_early is not None
    assert longer.p_eot_early > 0.8


def test_an_empty_place_shows_at_the_start(learned: Model) -> None:
    scores = [score_of(row, "psm").p_eot_start for row in Scorer(learned).score(LEARNED)]
    assert scores[2] > 0.8 > 0.2 > max(scores[:2])


# Length


def test_long_context_loses_whole_lines_as_if_cut_by_hand(small: Model, tokenizer: Tokenizer) -> None:
    prefix, middle, suffix = "value = other\n" * 120 + "  x = ", "1 + 2", "\nthen()\n" * 120
    scorer = Scorer(small, layouts=["psm"])
    [row] = scorer.score([(prefix, middle, suffix)])
    [encoded] = scorer._encoded([(prefix, middle, suffix)])
    assert encoded.context is not None
    head, tail = tokenizer.decode(encoded.context[0]), tokenizer.decode(encoded.context[1])
    assert head.endswith("value = other\n  x = ")
    assert tail.startswith("\nthen()\n")
    cut = (head, middle, tail)
    assert close(score_of(row, "psm"), written_out(small, cut, "psm"))
    length = len(encoded.context[0]) + len(encoded.context[1]) + len(encoded.middle) + 4
    assert 490 < length <= small.config.context_length


def test_a_middle_too_long_has_no_score_and_a_reason(small: Model, tokenizer: Tokenizer) -> None:
    longest = small.config.context_length - 4
    fits, too_long = "1" * longest, "1" * (longest + 1)
    scored = Scorer(small).score([("a", "b", "c"), ("", fits, ""), ("", too_long, ""), ("x", fits, "")])
    assert [row.reason for row in scored] == [None, None, "middle_too_long", "cursor_lines_too_long"]
    assert [row.tokens for row in scored] == [1, longest, longest + 1, longest]
    assert scored[2].scores == {"psm": None, "spm": None}
    assert scored[1].scores["psm"] is not None


def test_a_cursor_line_too_long_has_no_score_and_a_reason(small: Model) -> None:
    [row] = Scorer(small, layouts=["psm"]).score([("above\n" + "1" * 600, "x", "")])
    assert (row.scores, row.reason) == ({"psm": None}, "cursor_lines_too_long")


def test_an_overflow_is_no_score(small: Model, network: Callable[..., Refact]) -> None:
    made = network(vocab_size=2112, dtype=torch.float16)
    with torch.no_grad():
        made.lm_head.weight.fill_(6e4)
        made.ln_f.weight.fill_(6e4)
    [row] = Scorer(dataclasses.replace(small, network=made), layouts=["psm"]).score([("a", "b", "c")])
    assert (row.scores, row.reason) == ({"psm": None}, "not_finite")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layouts": ["psm", "pms"]}, "layout is 'pms', expected psm or spm"),
        ({"layouts": []}, "layouts is empty, expected some of psm, spm"),
        ({"token_budget": 0}, "token_budget is 0, expected 1 or more"),
    ],
)
def test_wrong_options_are_named(small: Model, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Scorer(small, **options)


def test_a_model_without_a_tokenizer_cannot_score(small: Model) -> None:
    with pytest.raises(ValueError, match="no tokenizer"):
        Scorer(dataclasses.replace(small, tokenizer=None))


# Parts


@given(st.lists(st.integers(1, 50), max_size=60), st.integers(1, 80))
def test_packing_keeps_the_budget_and_everything_once(lengths: list[int], budget: int) -> None:
    groups = best_fit(lengths, budget)
    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    for group in groups:
        assert sum(lengths[index] for index in group) <= budget or len(group) == 1
        assert [lengths[index] for index in group] == sorted((lengths[index] for index in group), reverse=True)
    # Any two groups together exceed the budget, or they would be one.
    totals = sorted(sum(lengths[index] for index in group) for group in groups)
    assert len(totals) < 2 or totals[0] + totals[1] > budget


@pytest.mark.parametrize(
    ("middle", "ends"),
    [
        ("return 1", []),
        ("a\nb", ["a", "a\n"]),
        ("a\n    b\n    c", ["a", "a\n    b"]),
        ("a\r\nb", ["a", "a\r\n"]),
        ("a\n", []),
        ("\na", []),
        ("\n  a\n  b\n", ["\n  a"]),
        ("a \n\n b", ["a"]),
        ("a\rb", []),
        ("a\u2028b", []),
        ("", []),
    ],
)
def test_where_lines_end_inside_a_middle(tokenizer: Tokenizer, middle: str, ends: list[str]) -> None:
    ids = tokenizer.encode(middle)
    found = [tokenizer.decode(ids[:count]) for count in line_ends(tokenizer, ids)]
    assert set(ends) <= set(found)
    for text in found:
        rest = middle[len(text) :]
        assert text.strip()
        assert rest.strip()
        assert not (text.endswith("\r") and rest.startswith("\n"))
        assert text.endswith("\n") or rest.lstrip(" \t").startswith(("\n", "\r\n"))
    if not ends:
        assert found == []
