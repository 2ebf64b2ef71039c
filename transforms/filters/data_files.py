"""Data files: JSON and YAML by their size and letters, notebooks by how much of them a person wrote.

Rules: StarCoder (Li et al. 2023, section 3.1): JSON and YAML of 50 to 5,000 characters, at least half of them letters.
A notebook is JSON around a few cells; one that is nearly all output, or that says that a program made it, is generated.
"""

import json
import re
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.transforms.filters.decision import Drops, drop_over, drop_under, either
from stackfim.transforms.filters.filter import Bounds, Filter, Score
from stackfim.transforms.filters.quality_limits import QualityLimits
from stackfim.transforms.filters.text import BLANKS
from stackfim.transforms.languages import Content, language_row

_ASCII_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MADE_BY_PROGRAM = re.compile(
    rb"(?i:(?:this|the) (?:notebook|file|code|cell) (?:was|is|has been) (?:auto[ \-]?generated|automatically generated|"
    rb"generated (?:by|from))|auto-?generated notebook|do not edit this (?:notebook|file)|sphinx[ -]gallery)"
)


class DataScores(NamedTuple):
    """What data files hold; -1 in rows of other languages."""

    chars: npt.NDArray[np.int64]
    """Characters of JSON and YAML; (rows,)."""
    letter_share: npt.NDArray[np.float64]
    """Share of their visible characters that are letters, all beyond ASCII included; (rows,)."""
    notebook_source_share: npt.NDArray[np.float64]
    """Share of a notebook's bytes that are source cells; 0 for one that is broken or made by a program; (rows,)."""


def data_scores(content: pa.BinaryArray, languages: list[str]) -> DataScores:
    """Scores of every row of valid UTF-8, by its language."""
    rows = len(content)
    chars, letters, source = np.full(rows, -1, np.int64), np.full(rows, -1.0), np.full(rows, -1.0)
    for row, language in enumerate(languages):
        kind = language_row(language).content
        if kind is Content.DATA:
            data = content[row].as_py()
            text = data.decode("utf-8", "replace")
            beyond = len(text) - sum(map(str.isascii, text)) if not text.isascii() else 0
            chars[row] = len(text)
            visible = len(text) - (len(data) - len(data.translate(None, BLANKS)))
            letters[row] = (len(data) - len(data.translate(None, _ASCII_LETTERS)) + beyond) / max(visible, 1)
        elif kind is Content.NOTEBOOK:
            source[row] = _notebook_source_share(content[row].as_py())
    return DataScores(chars, letters, source)


def _notebook_source_share(data: bytes) -> float:
    if _MADE_BY_PROGRAM.search(data[:4_000]):
        return 0.0
    try:
        notebook: Any = json.loads(data)
        cells = notebook.get("cells") or [cell for sheet in notebook.get("worksheets", []) for cell in sheet["cells"]]
        sources = [cell.get("source", cell.get("input", "")) for cell in cells]
        written = sum(len("".join(source).encode("utf-8", "replace")) for source in sources)
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError):
        return 0.0
    return written / max(len(data), 1)


def decide_data_files(scores: DataScores, limits: list[QualityLimits]) -> Drops:
    """Drops `data_file_size` and `too_few_letters` rows (JSON, YAML) and `generated_notebook` rows."""
    known = scores.chars >= 0
    small = drop_under(
        np.where(known, scores.chars, np.iinfo(np.int64).max),
        [limit.min_chars for limit in limits],
        "data_file_size",
        "{value} characters, expected at least {limit}",
    )
    large = drop_over(
        scores.chars,
        [limit.max_chars for limit in limits],
        "data_file_size",
        "{value} characters, expected at most {limit}",
    )
    few = drop_under(
        np.where(known, scores.letter_share, 2.0),
        [limit.min_letter_share for limit in limits],
        "too_few_letters",
        "{value:.3f} of the visible characters are letters, expected at least {limit:g}",
    )
    generated = drop_under(
        np.where(scores.notebook_source_share >= 0, scores.notebook_source_share, 2.0),
        [limit.min_notebook_source_share for limit in limits],
        "generated_notebook",
        "{value:.3f} of the bytes are source cells, expected at least {limit:g}",
    )
    return either(either(few, either(small, large)), generated)


DATA_FILE: Filter[DataScores] = Filter(
    stage="data_file",
    measure=lambda rows, plan: data_scores(rows.column("content"), rows.column("language").to_pylist()),
    decide=lambda scores, languages, plan: decide_data_files(scores, plan.limits(languages)),
    scores=(
        Score(
            "chars",
            pa.int64(),
            lambda scores: scores.chars,
            Bounds("min_chars", "max_chars"),
            "Characters; data files alone.",
        ),
        Score(
            "letter_share",
            pa.float64(),
            lambda scores: scores.letter_share,
            Bounds(minimum="min_letter_share"),
            "Letters, of the visible characters; data files alone.",
        ),
        Score(
            "notebook_source_share",
            pa.float64(),
            lambda scores: scores.notebook_source_share,
            Bounds(minimum="min_notebook_source_share"),
            "Bytes of source cells, of all bytes; notebooks alone.",
        ),
    ),
)
