"""The work behind the functions of `stackfim`: rows in memory through the same steps as those of a run."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from stackfim import Deduplicated, Filtered
from stackfim.pipeline.config.validation import config_of
from stackfim.pipeline.folder.manifest import stackfim_version
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.rejection import REJECTION, concatenate
from stackfim.schemas.removal import REMOVAL
from stackfim.schemas.scored import SCORED
from stackfim.schemas.source import ROW
from stackfim.source_rows import source_rows, taken
from stackfim.tables import read_rows
from stackfim.transforms.record_batches import single_batch

if TYPE_CHECKING:
    from stackfim.transforms.verify.violation import Violation

_log = logging.getLogger("stackfim")

_SPLIT_KEYS = ("context_bytes", "seed")
"""Settings of the splitter that stand outside of [split] in a configuration."""
_FILTER_KEYS = ("languages", "grammars", "licenses", "opt_out", "pii", "comments_language", "benchmarks")
"""Settings of the filters that stand outside of [filters]."""
_ROWS_AT_A_TIME = 1_000


def split_rows(text_or_rows: Any, language: str | None, settings: Mapping[str, Any]) -> Any:
    """See `stackfim.split`."""
    from stackfim.transforms.split.examples import Splitter

    own = {name: value for name, value in settings.items() if name not in _SPLIT_KEYS}
    config = config_of({"split": own} | {name: settings[name] for name in _SPLIT_KEYS if name in settings})
    if isinstance(text_or_rows, str | bytes):
        if language is None:
            raise ValueError("a text needs its language, such as split(text, 'Python')")
        text_or_rows = [{"content": text_or_rows}]
    source = source_rows(text_or_rows, language)
    splitter = Splitter(config.split_settings(), stackfim_version())
    results = [splitter.split(part) for part in _parts(source.rows.select(ROW.names))]
    _tell(concatenate([source.rejections, *(result.rejections for result in results)]), "gave no example")
    return source.like_given(pa.Table.from_batches([result.examples for result in results], EXAMPLE))


def filter_rows(rows: Any, language: str | None, settings: Mapping[str, Any]) -> Filtered:
    """See `stackfim.filter`."""
    from stackfim.transforms.filters import chain

    own = {name: value for name, value in settings.items() if name not in _FILTER_KEYS}
    config = config_of({"filters": own} | {name: settings[name] for name in _FILTER_KEYS if name in settings})
    plan = config.filter_plan()
    source = source_rows(rows, language)
    kept, rejected = [], [source.rejections]
    for part in _parts(source.rows):
        stays, goes = chain.filter_rows(chain.relabel(part, plan)[0], plan)
        kept.append(stays)
        rejected.append(goes)
    left = single_batch(pa.Table.from_batches(kept, source.rows.schema))
    dropped = pa.Table.from_batches(rejected, REJECTION)
    return Filtered(taken(source, left), source.like_given(dropped))


def deduplicate_rows(rows: Any, language: str | None, settings: Mapping[str, Any]) -> Deduplicated:
    """See `stackfim.deduplicate`."""
    from stackfim.transforms.dedup.in_memory import find_removals

    source = source_rows(rows, language, needs_language=False)
    removals = find_removals(source.rows.select(ROW.names), config_of({"dedup": settings}).dedup_settings())
    stays = np.setdiff1d(np.arange(source.rows.num_rows), removals.column("row").to_numpy())
    _tell(source.rejections, "cannot be compared and are neither kept nor removed")
    removed = pa.Table.from_batches([removals.select(REMOVAL.names)], REMOVAL)
    return Deduplicated(taken(source, source.rows.take(pa.array(stays))), source.like_given(removed))


def render_rows(
    examples: Any,
    family: str,
    tokenizer: str | os.PathLike[str] | None,
    max_tokens: int | None,
    settings: Mapping[str, Any],
) -> Any:
    """See `stackfim.render`."""
    from stackfim.pipeline.derive.render import read_tokenizer
    from stackfim.transforms.render.batch import Renderer
    from stackfim.transforms.render.render_settings import RenderSettings

    definition = read_tokenizer(Path(tokenizer)) if tokenizer is not None else ""
    renderer = Renderer(RenderSettings(family=family, max_tokens=max_tokens, tokenizer_json=definition, **settings))
    table, like_given = _examples(examples)
    rendered, rejected = zip(*(renderer.render(part) for part in _parts(table)), strict=True)
    _tell(concatenate(list(rejected)), "could not be rendered")
    return like_given(pa.Table.from_batches(rendered))


def verify_rows(examples: Any, originals: Any) -> list[Violation]:
    """See `stackfim.verify`."""
    from stackfim.transforms.verify.row_checker import RowChecker
    from stackfim.transforms.verify.row_invariants import Expected

    table, _ = _examples(examples)
    contents = None
    if originals is not None:
        rows = source_rows(originals, None, needs_language=False).rows
        contents = dict(zip(rows.column("content_id").to_pylist(), rows.column("content").to_pylist(), strict=True))
    checker = RowChecker(Expected(any_license=True), contents=contents)
    return [violation for part in _parts(table) for row in part.to_pylist() for violation in checker.check(row)[0]]


def score_rows(examples: Any, model: str | os.PathLike[str], settings: Mapping[str, Any]) -> Any:
    """See `stackfim.score`."""
    from stackfim.pipeline.config.scoring_model import find_scoring, scoring_threads
    from stackfim.transforms.score.batch import score_examples

    config = config_of({"score": {**settings, "model": os.fspath(model)}}).labelling()
    scoring = find_scoring(config.score, config.seed)
    if scoring is None:
        raise ValueError(f"model is {os.fspath(model)!r}, expected one that scores, such as 'tiny'")
    scorer = scoring.model.load_scorer(scoring.settings.layouts, scoring_threads(1), scoring.settings.context_tokens)
    table, like_given = _examples(examples)
    parts = [score_examples(part, scorer, scoring.settings).examples for part in _parts(table)]
    return like_given(pa.Table.from_batches(parts, SCORED))


def _examples(examples: Any) -> tuple[pa.Table, Any]:
    """Examples as a table with the columns of EXAMPLE, and the way back to their form. Raises ValueError without these."""
    table, like_given = read_rows(examples)
    missing = [name for name in EXAMPLE.names if name not in table.column_names]
    if missing:
        raise ValueError(f"examples lack the columns {', '.join(missing)}; expected those that split gives")
    return table.select(EXAMPLE.names).cast(EXAMPLE), like_given


def _parts(rows: pa.Table | pa.RecordBatch) -> Iterable[pa.RecordBatch]:
    """Batches of a bounded number of rows, at least one."""
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
    parts = table.combine_chunks().to_batches(_ROWS_AT_A_TIME)
    return parts or [pa.RecordBatch.from_pylist([], schema=table.schema)]


def _tell(rejections: pa.RecordBatch, what: str) -> None:
    """Logs how many rows went and why: the result has no place for it."""
    if rejections.num_rows:
        reasons = Counter(rejections.column("reason").to_pylist())
        listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        _log.warning("%d rows %s: %s", rejections.num_rows, what, listed)
