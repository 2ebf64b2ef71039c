"""Settings: presets, and messages that show the wrong value."""

import dataclasses
from typing import Any

import pytest
from datasketch import MinHashLSH

from stackfim.transforms.dedup.dedup_settings import PRESETS, DedupSettings, preset


def test_the_default() -> None:
    assert preset("default") == DedupSettings()
    assert (DedupSettings().threshold, DedupSettings().ngram, DedupSettings().bands, DedupSettings().rows) == (
        0.7,
        5,
        36,
        7,
    )


@pytest.mark.parametrize("name", ["stack-v1", "starcoder"])
def test_presets_have_the_bands_that_datasketch_chooses(name: str) -> None:
    chosen = MinHashLSH(threshold=preset(name).threshold, num_perm=preset(name).permutations)
    assert (preset(name).bands, preset(name).rows) == (chosen.b, chosen.r)


def test_the_default_finds_more_than_starcoders_bands() -> None:
    assert candidate_probability("default", 0.7) > 0.94
    assert candidate_probability("starcoder", 0.7) < 0.52


def candidate_probability(name: str, similarity: float) -> float:
    """The probability that two documents of this similarity share a band; see stackfim.transforms.dedup.bands."""
    chosen = preset(name)
    return 1.0 - (1.0 - similarity**chosen.rows) ** chosen.bands


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": 0.0}, "above 0 and at most 1, got 0.0"),
        ({"threshold": 1.1}, "above 0 and at most 1, got 1.1"),
        ({"threshold": float("nan")}, "above 0 and at most 1, got nan"),
        ({"ngram": 0}, "ngram is a whole number from 1 to 64, got 0"),
        ({"ngram": True}, "ngram is a whole number from 1 to 64, got True"),
        ({"permutations": 2.5}, "permutations is a whole number from 1 to 65536, got 2.5"),
        ({"bands": 257}, "bands is a whole number from 1 to 256, got 257"),
        ({"rows": 0}, "rows is a whole number from 1, got 0"),
        ({"rows": 8}, r"got 36 \* 8 = 288 with 252 permutations"),
        ({"seed": -1}, "seed is a whole number from 0 to 4294967295, got -1"),
        ({"scope": "repository"}, "scope is one of language, global, got 'repository'"),
        ({"exact_shingles": -1}, "exact_shingles is a whole number from 0"),
    ],
)
def test_wrong_values_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(DedupSettings(), **change)


def test_an_unknown_preset_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="default, stack-v1, starcoder, got 'fast'"):
        preset("fast")
    assert list(PRESETS) == ["default", "stack-v1", "starcoder"]
