"""How examples are rendered."""

import hashlib
import json
from dataclasses import asdict, dataclass, field

from stackfim.transforms.draws import Draws
from stackfim.transforms.render.families import JOINED, PSM, SEPARATE, SPM, SPM_FORMS, Family, family_named


@dataclass(frozen=True)
class RenderSettings:
    """Settings of a rendering; raises ValueError, naming the value and what was expected, when one is wrong."""

    family: str = "refact"
    """Name of the table of families."""
    spm_share: float | None = None
    """Share of the examples with the suffix first; None for a half where the family has both layouts."""
    spm_form: str | None = None
    """`separate` or `joined` (stackfim.transforms.render.families); None for the one that the family was trained on."""
    header: bool = False
    """Whether path (and repository, where the family has a place for it) come first; not every family has a header."""
    max_chars: int | None = None
    """Most characters of prompt and completion together, sentinels included."""
    max_tokens: int | None = None
    """Most tokens of prompt and completion together, sentinels included."""
    tokenize: bool = False
    """Whether rows have `input_ids` and `loss_mask`."""
    tokenizer_json: str = field(default="", repr=False)
    """Text of the family's `tokenizer.json`: what tokens are counted with."""
    seed: int = 0

    def __post_init__(self) -> None:
        family = family_named(self.family)
        has_psm, spm_forms = PSM in family.forms, [form for form in SPM_FORMS if form in family.forms]
        if self.spm_share is not None:
            if not 0.0 <= self.spm_share <= 1.0:
                raise ValueError(f"spm_share is a share from 0 to 1, got {self.spm_share!r}")
            if self.spm_share > 0 and not spm_forms:
                raise ValueError(
                    f"the family {family.name} has no layout with the suffix first, got spm_share {self.spm_share}"
                )
            if self.spm_share < 1 and not has_psm:
                raise ValueError(f"the family {family.name} has no layout psm, got spm_share {self.spm_share}")
        if self.spm_form is not None and self.spm_form not in spm_forms:
            expected = " or ".join(spm_forms) or "none, since it has no layout with the suffix first"
            raise ValueError(f"spm_form of the family {family.name} is {expected}, got {self.spm_form!r}")
        if self.header and not family.has_header:
            raise ValueError(f"the family {family.name} has no header for path and repository")
        for name in ("max_chars", "max_tokens"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} is a whole number from 1, got {value!r}")
        if self.max_chars is not None and self.max_tokens is not None:
            raise ValueError(f"one of max_chars and max_tokens, got {self.max_chars} and {self.max_tokens}")
        if (self.max_tokens is not None or self.tokenize) and not self.tokenizer_json:
            raise ValueError("max_tokens and tokenize need a tokenizer, got none")

    @property
    def family_strings(self) -> Family:
        """The family's formats."""
        return family_named(self.family)

    @property
    def share(self) -> float:
        """Share of the examples with the suffix first, decided."""
        forms = self.family_strings.forms
        if self.spm_share is not None:
            return self.spm_share
        if PSM not in forms:
            return 1.0
        return 0.5 if SEPARATE in forms or JOINED in forms else 0.0

    def layout(self, example_id: str) -> str:
        """`psm` or `spm`, drawn for an example by its id and the seed alone."""
        return SPM if Draws("layout", example_id, self.seed).uniform() < self.share else PSM

    def prompt(self, layout: str) -> str:
        """The format of a layout's prompt."""
        form = layout if layout == PSM else self.spm_form or self.family_strings.spm_form
        return self.family_strings.prompt(form, self.header)

    def to_json(self) -> str:
        """The settings as JSON text, keys in a fixed order, of the tokenizer its SHA-256: what a rendering depends on."""
        digest = hashlib.sha256(self.tokenizer_json.encode()).hexdigest() if self.tokenizer_json else None
        values = {name: value for name, value in asdict(self).items() if name != "tokenizer_json"}
        return json.dumps({**values, "tokenizer_sha256": digest}, sort_keys=True)
