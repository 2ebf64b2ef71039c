"""Real examples, and their scores by a small checkpoint."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stackfim.model.scorer import Scorer
from stackfim.transforms.score.batch import ScoredBatch, score_examples
from stackfim.transforms.score.model_spec import ModelSpec
from stackfim.transforms.score.score_settings import DEFAULT_ACTIONS, LABEL, ScoreSettings
from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.split_settings import SplitSettings


@pytest.fixture(scope="session")
def examples(
    rows_of: Callable[[Iterable[tuple[str, bytes]]], pa.RecordBatch],
    sources: tuple[Any, ...],
    installed: tuple[Any, ...],
) -> pa.RecordBatch:
    """Examples of all categories from 28 languages and some installed files, whole and half-written, in order of files."""
    files = [(file.language, file.content) for file in (*sources, *installed[:2])]
    settings = SplitSettings(max_slots=6, lines_per_slot=12, context_bytes=1_500)
    return Splitter(settings, "0").split(rows_of(files)).examples


@pytest.fixture(scope="session")
def scorer(checkpoint: Path) -> Scorer:
    """A small network of random weights, asked in both layouts."""
    return ModelSpec(str(checkpoint)).load_scorer(("psm", "spm"), threads=1)


@pytest.fixture(scope="session")
def labelling() -> ScoreSettings:
    """Both layouts, nothing dropped."""
    return ScoreSettings(layouts=("psm", "spm"), actions=dict.fromkeys(DEFAULT_ACTIONS, LABEL))


@pytest.fixture(scope="session")
def scored(examples: pa.RecordBatch, scorer: Scorer, labelling: ScoreSettings) -> ScoredBatch:
    """All examples scored, none dropped."""
    return score_examples(examples, scorer, labelling)
