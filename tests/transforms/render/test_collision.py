"""Sentinels in a text: always, for one family alone, and where prefix and middle meet."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackfim.transforms.render.collision import ALWAYS, collision, collisions, forbidden
from stackfim.transforms.render.families import FAMILIES

NAMES = ("prefix", "middle", "suffix")


def batch(*parts: tuple[str, ...], path: str = "p", repository: str = "r") -> pa.RecordBatch:
    columns = {name: list(texts) for name, texts in zip(NAMES, zip(*parts, strict=True), strict=True)}
    columns |= {"path": [path] * len(parts), "repository": [repository] * len(parts)}
    return pa.RecordBatch.from_pydict({name: pa.array(texts, pa.string()) for name, texts in columns.items()})


def test_unmistakable_sentinels_are_refused_for_every_family() -> None:
    assert {"<fim_middle>", "<|endoftext|>", "<|fim_pad|>", "<fim-prefix>", "<[fim-suffix]>"} <= ALWAYS
    places = [(sentinel, place) for sentinel in sorted(ALWAYS) for place in range(3)]
    texts = [tuple(f"a{sentinel}b" if place == at else "x = 1\n" for at in range(3)) for sentinel, place in places]
    expected = {row: f"the {NAMES[place]} holds {sentinel}" for row, (sentinel, place) in enumerate(places)}
    for family in FAMILIES:
        assert collisions(batch(*texts), family) == expected


def test_ordinary_words_are_refused_for_their_own_family_alone() -> None:
    for word, families in {
        "<PRE>": {"codellama"},
        "<s>": {"codellama", "codestral"},
        "[SUFFIX]": {"codestral"},
        "<filename>": {"refact", "starcoder", "stable-code", "mellum", "granite-3"},
        "<file_sep>": {"starcoder2"},
    }.items():
        assert word not in ALWAYS
        assert {family for family in FAMILIES if collisions(batch(("", word, "")), family)} == families


def test_a_sentinel_across_prefix_and_middle_is_found() -> None:
    for sentinel in sorted(forbidden("codestral"))[::2]:
        for cut in range(1, len(sentinel)):
            rows = batch(("a" + sentinel[:cut], sentinel[cut:] + "b", ""), ("a" + sentinel[:cut], "b", sentinel[cut:]))
            assert list(collisions(rows, "codestral")) == [0]


def test_path_and_repository_count_with_a_header() -> None:
    rows = batch(("", "m", ""), path="a<filename>")
    assert collisions(rows, "starcoder") == {}
    assert collisions(rows, "starcoder", header=True) == {0: "the path holds <filename>"}
    assert list(collisions(batch(("", "m", ""), repository="<fim_pad>"), "starcoder", header=True)) == [0]


@settings(max_examples=60)
@given(
    family=st.sampled_from(sorted(FAMILIES)),
    parts=st.lists(st.tuples(*[st.lists(st.sampled_from(["<fim_", "middle>", "a", "\n", "<|", "é", "<s>", "fim_pad", "|>"])).map("".join)] * 3), min_size=1, max_size=6),
)  # fmt: skip
def test_a_batch_is_judged_row_by_row(family: str, parts: list[tuple[str, str, str]]) -> None:
    expected = {}
    for row, texts in enumerate(parts):
        whole = (texts[0] + texts[1], texts[2])
        if any(sentinel in text for sentinel in forbidden(family) for text in whole):
            expected[row] = collision(dict(zip(NAMES, texts, strict=True)), family)
    assert collisions(batch(*parts), family) == expected
    assert all(expected.values())


def test_slices_of_a_batch_are_judged_alike() -> None:
    rows = batch(("a", "b", "c"), ("<fim_pad>", "b", "c"), ("a", "<fim_", "c"))
    assert list(collisions(rows.slice(1, 2), "refact")) == [0]


@pytest.mark.parametrize("text", ["a < b and c > d", "<div>", "x[PREFIX]", "<fim prefix>", "|endoftext|"])
def test_code_is_no_sentinel(text: str) -> None:
    assert collision({"prefix": text, "middle": text, "suffix": text}) is None
