"""Real examples, and what the small checkpoint says of them."""

from pathlib import Path

import pyarrow as pa
import pytest

from model.scorer import Scorer
from transforms.score.batch import ScoredBatch, score_examples
from transforms.score.reference import ModelReference
from transforms.score.settings import DEFAULT_ACTIONS, LABEL, ScoreSettings
from transforms.split.examples import Splitter
from transforms.split.settings import SplitSettings


@pytest.fixture(scope="session")
def examples(rows_of, sources, installed) -> pa.RecordBatch:
    """Examples of all categories from 28 languages and some installed files, whole and half-written, in order of files."""
    files = [(file.language, file.content) for file in (*sources, *installed[:2])]
    settings = SplitSettings(max_slots=6, lines_per_slot=12, context_bytes=1_500)
    return Splitter(settings, "0").split(rows_of(files)).examples


@pytest.fixture(scope="session")
def scorer(checkpoint: Path) -> Scorer:
    return ModelReference(str(checkpoint)).load_scorer(("psm", "spm"), threads=1)


@pytest.fixture(scope="session")
def labelling() -> ScoreSettings:
    """Both layouts, nothing dropped."""
    return ScoreSettings(layouts=("psm", "spm"), actions=dict.fromkeys(DEFAULT_ACTIONS, LABEL))


@pytest.fixture(scope="session")
def scored(examples: pa.RecordBatch, scorer: Scorer, labelling: ScoreSettings) -> ScoredBatch:
    """All examples scored, none dropped."""
    return score_examples(examples, scorer, labelling)
