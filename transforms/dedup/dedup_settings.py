"""How near-duplicates are found: similarity threshold, shingles, permutations, bands.

The default finds pairs at a Jaccard similarity of 0.7 or more over word 5-grams with 36 bands of 7 rows. Of the true
pairs of real files it misses about one in a hundred, where the 25 bands of 10 rows in common use miss 16 to 26; the
candidates that it lets through in exchange are verified exactly, so they cost time but never a file.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from stackfim.transforms.setting_checks import expect_choice, expect_number, expect_whole

LANGUAGE = "language"
GLOBAL = "global"
SCOPES = (LANGUAGE, GLOBAL)

MAX_BANDS = 256
MAX_SEED = 2**32 - 1


@dataclass(frozen=True)
class DedupSettings:
    """Settings of deduplication; raises ValueError, naming the value and what was expected, when one is wrong."""

    near: bool = True
    """Whether near-duplicates are removed too; False removes exact copies only, and the other settings are not used."""
    threshold: float = 0.7
    """Jaccard similarity of two shingle sets at or above which one of two documents is removed."""
    ngram: int = 5
    """Words of a shingle."""
    permutations: int = 252
    """Values of a signature."""
    bands: int = 36
    """The first bands * rows values of a signature are divided into `bands` groups of `rows`; documents that agree on a
    whole group are candidates."""
    rows: int = 7
    """Values of a band."""
    seed: int = 1
    """Of the permutations, as in `datasketch.MinHash(seed=...)`."""
    scope: str = LANGUAGE
    """`language` compares only files of the same language, `global` compares all files."""
    exact_shingles: int = 4_000_000
    """A component whose documents have more shingles than this in total is verified by its signatures instead of its
    shingles, since these must be in memory together (4 bytes each, and about ten times that while it is at work)."""

    def __post_init__(self) -> None:
        """Raises ValueError for a value that is out of range, and for bands that do not fit the permutations."""
        expect_number("threshold", self.threshold, 1.0, above_0=True)
        expect_whole("ngram", self.ngram, 1, 64)
        expect_whole("permutations", self.permutations, 1, 65_536)
        expect_whole("bands", self.bands, 1, MAX_BANDS)
        expect_whole("rows", self.rows, 1)
        expect_whole("seed", self.seed, 0, MAX_SEED)
        expect_whole("exact_shingles", self.exact_shingles, 0, 2**31 - 1)
        expect_choice("scope", self.scope, SCOPES)
        if self.bands * self.rows > self.permutations:
            raise ValueError(
                f"bands * rows is at most the number of permutations, got {self.bands} * {self.rows} = "
                f"{self.bands * self.rows} with {self.permutations} permutations"
            )

    def candidate_probability(self, similarity: float) -> float:
        """The probability that two documents of this Jaccard similarity share a band: 1 - (1 - s^rows)^bands.

        Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, section 3.4.2.
        """
        return 1.0 - (1.0 - similarity**self.rows) ** self.bands


PRESETS: Mapping[str, DedupSettings] = MappingProxyType(
    {
        "default": DedupSettings(),
        # The Stack (Kocetkov et al. 2022): 256 permutations over single words, similarity 0.85, and the bands that
        # datasketch.MinHashLSH(threshold=0.85, num_perm=256) chooses.
        "stack-v1": DedupSettings(threshold=0.85, ngram=1, permutations=256, bands=13, rows=19),
        # StarCoder (Li et al. 2023): 5-grams, similarity 0.7; datasketch chooses 25 bands of 10 for 256 permutations.
        "starcoder": DedupSettings(threshold=0.7, ngram=5, permutations=256, bands=25, rows=10),
    }
)


def preset(name: str) -> DedupSettings:
    """The settings of that name; raises ValueError with the known names."""
    expect_choice("preset", name, PRESETS)
    return PRESETS[name]


def with_preset(table: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by name where `preset` may stand for those that are not given. Raises ValueError for an unknown preset."""
    given = {name: value for name, value in table.items() if name != "preset"}
    return asdict(preset(table["preset"])) | given if "preset" in table else given
