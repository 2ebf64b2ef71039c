"""Invariants of rows in a family's format: examples rendered anew give the same texts, packs and mixtures keep their form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import pyarrow as pa

from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.layout import LAYOUTS
from stackfim.schemas.mixed import CHAT, FIM
from stackfim.schemas.rendered import IGNORED, RENDERED
from stackfim.transforms.render.batch import Renderer
from stackfim.transforms.render.parse import NotRendered, Parts, parse_rendered
from stackfim.transforms.render.render_settings import RenderSettings
from stackfim.transforms.verify.violation import Violation

Row = Mapping[str, Any]

RENDERED_INVARIANT = "rendered"
PACKED_INVARIANT = "packed"
MIXED_INVARIANT = "mixed"
_TEXTS = [field.name for field in RENDERED]
_COLUMNS = list(EXAMPLE.names)
_SHOWN_CHARS = 40


@dataclass(frozen=True)
class ExpectedRendering:
    """What a folder promised of its rendered rows."""

    settings: RenderSettings
    """All settings but a tokenizer and what needs one."""
    is_whole: bool
    """Whether no budget of tokens cut the contexts, so that rendering anew gives every text."""


class RenderedChecker:
    """Checks batches of rendered examples; a family's formats are read once."""

    def __init__(self, expected: ExpectedRendering) -> None:
        """For rows of the settings of `expected`."""
        self._expected = expected
        self._renderer = Renderer(expected.settings)

    def check(self, batch: pa.RecordBatch) -> list[Violation]:
        """Rows whose prompt, completion or layout is not what the example gives; the columns must have their types."""
        compare = self._anew if self._expected.is_whole else self._parts
        rows = batch.select(_TEXTS).to_pylist()
        names = batch.column("example_id").to_pylist()
        return [
            Violation(name, RENDERED_INVARIANT, message)
            for number, (name, row) in enumerate(zip(names, rows, strict=True))
            for message in compare(row, batch.select(_COLUMNS).slice(number, 1))
        ]

    def _anew(self, row: Row, example: pa.RecordBatch) -> Iterator[str]:
        """Where a row differs from its example rendered anew."""
        rendered, rejected = self._renderer.render(example)
        if rejected.num_rows:
            yield f"the example would be rejected: {rejected.column('reason')[0]}"
            return
        again = rendered.select(_TEXTS).to_pylist()[0]
        for name in _TEXTS:
            if row[name] != again[name]:
                yield f"{name} {_difference(row[name], again[name])}"

    def _parts(self, row: Row, example: pa.RecordBatch) -> Iterator[str]:
        """Where the parts of a row are not those of its example, of which a budget of tokens may have cut the far ends."""
        settings, original = self._expected.settings, example.to_pylist()[0]
        layout = settings.layout(original["example_id"])
        if row["layout"] != layout:
            yield f"layout is {row['layout']!r}, drawn for this example is {layout}"
            return
        try:
            parts = parse_rendered(settings.family, layout, row["prompt"], row["completion"])
        except NotRendered as error:
            yield str(error)
            return
        yield from _other_parts(parts, original, has_header=settings.header)


def _other_parts(parts: Parts, original: Row, *, has_header: bool) -> Iterator[str]:
    for name, found, is_right in (
        ("prefix", parts.prefix, original["prefix"].endswith(parts.prefix)),
        ("middle", parts.middle, original["middle"] == parts.middle),
        ("suffix", parts.suffix, original["suffix"].startswith(parts.suffix)),
        ("path", parts.path, parts.path == original["path"] if has_header else parts.path is None),
        ("repository", parts.repository, parts.repository in (None, original["repository"])),
    ):
        if not is_right:
            yield f"the {name} {str(found)[:_SHOWN_CHARS]!r} in the prompt is not the example's"


def _difference(found: str, expected: str) -> str:
    """Where two texts begin to differ."""
    places = (place for place, (one, other) in enumerate(zip(found, expected, strict=False)) if one != other)
    place = next(places, min(len(found), len(expected)))
    ends = [text[place : place + _SHOWN_CHARS] for text in (found, expected)]
    return f"has {ends[0]!r} at character {place}, rendered anew it has {ends[1]!r}"


def check_packed(row: Row, pack_tokens: int | None) -> Iterator[str]:
    """What is wrong with a pack (stackfim.schemas.rendered.PACKED, of the right types) by itself."""
    length = len(row["input_ids"])
    if pack_tokens is not None and length != pack_tokens:
        yield f"the pack has {length} tokens, expected {pack_tokens}"
    for name in ("labels", "completion_mask", "position_ids"):
        if len(row[name]) != length:
            yield f"{name} has {len(row[name])} values for {length} tokens"
            return
    lengths, examples = row["seq_lengths"], len(row["example_ids"])
    if len(lengths) not in (examples, examples + 1):
        yield f"seq_lengths has {len(lengths)} lengths for {examples} examples, expected one more at most: the padding's"
    if not examples or any(tokens < 1 for tokens in lengths) or sum(lengths) != length:
        yield f"seq_lengths is {lengths[:8]}, expected lengths of 1 or more that add up to {length} tokens"
        return
    yield from _labels(row)
    for number, (start, end) in enumerate(pairwise([0, *accumulate(lengths)])):
        if row["position_ids"][start:end] != list(range(end - start)):
            yield f"positions do not count from 0 at token {start}"
        is_padding = number >= examples
        if any(row["completion_mask"][start:end]) == is_padding:
            yield f"tokens {start} to {end}: {'padding is learned' if is_padding else 'no token is learned'}"
        if row["completion_mask"][start]:
            yield f"the first token of an example, token {start}, is learned"


def _labels(row: Row) -> Iterator[str]:
    """Whether `labels` has the id of every token that is learned, and of no other."""
    columns = zip(row["input_ids"], row["labels"], row["completion_mask"], strict=True)
    wrong = next(
        (place for place, (token, label, learned) in enumerate(columns) if label != (token if learned else IGNORED)),
        None,
    )
    if wrong is not None:
        yield f"labels has {row['labels'][wrong]} at token {wrong}, whose completion_mask is {row['completion_mask'][wrong]}"


def check_mixed(row: Row, family: str | None) -> Iterator[str]:
    """What is wrong with a row of a mixture (stackfim.schemas.mixed.MIXED, of the right types) by itself.

    `family` is that of the prompts; None where it is not known.
    """
    if row["source"] not in (FIM, CHAT):
        yield f"source is {row['source']!r}, expected {FIM} or {CHAT}"
    if len(row["example_id"]) != 16 or set(row["example_id"]) - set("0123456789abcdef"):
        yield f"example_id is {row['example_id']!r}, expected 16 hex digits"
    if row["tokens"] < 1:
        yield f"tokens is {row['tokens']}, expected 1 or more"
    if not all(name.strip() for name in row["licenses"] or [""]):
        yield f"licenses are {row['licenses']}, expected at least one and no empty name"
    if row["source"] == FIM and family is not None and not _is_rendered(row, family):
        yield f"prompt and completion are in no layout of the family {family}"


def _is_rendered(row: Row, family: str) -> bool:
    for layout in LAYOUTS:
        try:
            parse_rendered(family, layout, row["prompt"], row["completion"])
        except NotRendered:
            continue
        return True
    return False
