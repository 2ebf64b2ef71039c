"""How near-duplicates are found: similarity threshold, shingles, permutations, bands.

By default pairs with a Jaccard similarity of 0.7 or more over word 5-grams are found with 36 bands of 7 rows. They miss
about one in a hundred true pairs of real files, where the widely used 25 bands of 10 rows miss 16 to 26. The additional
candidates are verified exactly, so they cost time and never a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

LANGUAGE = "language"
GLOBAL = "global"
SCOPES = (LANGUAGE, GLOBAL)

MAX_BANDS = 256
MAX_SEED = 2**32 - 1


@dataclass(frozen=True)
class DedupSettings:
    """Settings of near-duplicate removal. Raises ValueError with the wrong value and what was expected.

    `threshold`: Jaccard similarity of two shingle sets at or above which one of two documents is removed.
    `ngram`: number of words in a shingle.
    `permutations`: number of values in a signature.
    `bands`, `rows`: the first bands * rows values of a signature form `bands` groups of `rows`; documents that agree on
    a whole group are candidates.
    `seed`: seed of the permutations, as in `datasketch.MinHash(seed=...)`.
    `scope`: `language` compares files of the same language, `global` compares all files.
    `exact_shingles`: a component whose documents have more shingles than this together is verified by signatures
    instead, since its shingles must be in memory at once (4 bytes each, and about ten times that at work).
    """

    threshold: float = 0.7
    ngram: int = 5
    permutations: int = 252
    bands: int = 36
    rows: int = 7
    seed: int = 1
    scope: str = LANGUAGE
    exact_shingles: int = 4_000_000

    def __post_init__(self) -> None:
        """Checks every value."""
        if not 0.0 < self.threshold <= 1.0:
            raise ValueError(f"threshold is a Jaccard similarity above 0 and at most 1, got {self.threshold!r}")
        _expect_whole("ngram", self.ngram, 1, 64)
        _expect_whole("permutations", self.permutations, 1, 65_536)
        _expect_whole("bands", self.bands, 1, MAX_BANDS)
        _expect_whole("rows", self.rows, 1, self.permutations)
        _expect_whole("seed", self.seed, 0, MAX_SEED)
        _expect_whole("exact_shingles", self.exact_shingles, 0, 2**31 - 1)
        if self.bands * self.rows > self.permutations:
            raise ValueError(
                f"bands * rows is at most the number of permutations, got {self.bands} * {self.rows} = "
                f"{self.bands * self.rows} with {self.permutations} permutations"
            )
        if self.scope not in SCOPES:
            raise ValueError(f"scope is one of {', '.join(SCOPES)}, got {self.scope!r}")


def _expect_whole(name: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name} is a whole number from {least} to {most}, got {value!r}")


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
    """The settings of that name. Raises ValueError with the known names for any other."""
    if name not in PRESETS:
        raise ValueError(f"deduplication preset is one of {', '.join(PRESETS)}, got {name!r}")
    return PRESETS[name]
