"""How examples are rendered."""

import hashlib
import json
from dataclasses import asdict, dataclass, field

from stackfim.schemas.layout import PSM, SPM
from stackfim.transforms.draws import Draws
from stackfim.transforms.render.families import Family, family_named


@dataclass(frozen=True)
class RenderSettings:
    """Settings of a rendering."""

    family: str = "refact"
    """A name from the table of families."""
    spm_share: float | None = None
    """The share of examples with the suffix first; None for one half where the family has both layouts."""
    spm_form: str | None = None
    """`separate` or `joined` (stackfim.transforms.render.families); None for the one that the family was trained on."""
    header: bool = False
    """Whether prompts name the path (and the repository, where the family has a place for it)."""
    max_chars: int | None = None
    """The most characters of prompt and completion together, sentinels included."""
    max_tokens: int | None = None
    """The most tokens of prompt and completion together, sentinels included."""
    tokenize: bool = False
    """Whether rows have `input_ids`, `labels` and `completion_mask`."""
    tokenizer_json: str = field(default="", repr=False)
    """The text of the family's `tokenizer.json`, with which tokens are counted."""
    seed: int = 0
    """Draws the layout of each example."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the field, its value and what was expected."""
        family = family_named(self.family)
        self._check_share(family)
        forms = family.forms_of(SPM)
        if self.spm_form is not None and self.spm_form not in forms:
            expected = " or ".join(forms) or "none: it has no layout with the suffix first"
            raise ValueError(f"spm_form is {self.spm_form!r}, expected for the family {family.name} {expected}")
        if self.header and not family.has_header:
            raise ValueError(f"header is {self.header}, but the family {family.name} has no header")
        self._check_budget()
        if type(self.seed) is not int:
            raise ValueError(f"seed is {self.seed!r}, expected a whole number")

    def _check_share(self, family: Family) -> None:
        share = self.spm_share
        if share is None:
            return
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise ValueError(f"spm_share is {share!r}, expected a share from 0 to 1")
        if share > 0 and not family.forms_of(SPM):
            raise ValueError(f"spm_share is {share}, but the family {family.name} has no layout with the suffix first")
        if share < 1 and not family.forms_of(PSM):
            raise ValueError(f"spm_share is {share}, but the family {family.name} has no layout {PSM}")

    def _check_budget(self) -> None:
        for name in ("max_chars", "max_tokens"):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < 1):
                raise ValueError(f"{name} is {value!r}, expected a whole number from 1")
        if self.max_chars is not None and self.max_tokens is not None:
            given = f"max_chars is {self.max_chars} and max_tokens is {self.max_tokens}"
            raise ValueError(f"{given}, expected at most one of them")
        if (self.max_tokens is not None or self.tokenize) and not self.tokenizer_json:
            raise ValueError("tokenizer_json is empty, but max_tokens and tokenize need a tokenizer")

    @property
    def family_strings(self) -> Family:
        """The formats of the family."""
        return family_named(self.family)

    @property
    def share(self) -> float:
        """The share of examples with the suffix first, from 0 to 1."""
        if self.spm_share is not None:
            return self.spm_share
        if not self.family_strings.forms_of(PSM):
            return 1.0
        return 0.5 if self.family_strings.forms_of(SPM) else 0.0

    def layout(self, example_id: str) -> str:
        """`psm` or `spm`, drawn for an example by its id and the seed alone."""
        return SPM if Draws("layout", example_id, self.seed).uniform() < self.share else PSM

    def prompt(self, layout: str) -> str:
        """The format of a layout's prompt. Raises ValueError for a layout that the family does not have."""
        family = self.family_strings
        form = self.spm_form if layout == SPM and self.spm_form else family.form(layout)
        return family.prompt(form, self.header)

    def to_json(self) -> str:
        """What a rendering depends on, as JSON text with keys in a fixed order; the tokenizer is given by its SHA-256."""
        digest = hashlib.sha256(self.tokenizer_json.encode()).hexdigest() if self.tokenizer_json else None
        values = {name: value for name, value in asdict(self).items() if name != "tokenizer_json"}
        return json.dumps({**values, "tokenizer_sha256": digest}, sort_keys=True)
