"""Languages: rows of a language that is wanted and that has a grammar stay."""

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa

from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.filter import Filter, Score
from stackfim.transforms.languages import OFFICIAL, language_name, of_grammars, unsupported_reason

UNSUPPORTED = "unsupported:"
"""What the counts of rows without a grammar begin with, before the name of the language."""
_NO_GRAMMAR = "language_unsupported"


def known_languages(languages: pa.StringArray) -> list[str | None]:
    """For every row, its language's name in the table of languages; None for a language that is not supported."""
    names = languages.to_pylist()
    known = {name: language_name(name) for name in dict.fromkeys(names)}
    return [known[name] for name in names]


def decide_languages(
    languages: pa.StringArray,
    known: list[str | None],
    wanted: frozenset[str] | None,
    grammars: Sequence[str] = (OFFICIAL,),
) -> Drops:
    """Drops `language_unsupported` rows, with why, and, where `wanted` names languages, `language_not_asked_for`.

    A language whose grammar is in none of the sets `grammars` is not supported.
    """
    drops: Drops = {}
    for row, (name, supported) in enumerate(zip(languages.to_pylist(), known, strict=True)):
        if supported is None:
            drops[row] = (_NO_GRAMMAR, unsupported_reason(name) if name else "the source names no language")
        elif not of_grammars(supported, grammars):
            drops[row] = (
                _NO_GRAMMAR,
                f"{supported}: its grammar is a legacy one, which `grammars` has to name",
            )
        elif wanted is not None and supported not in wanted:
            drops[row] = ("language_not_asked_for", supported)
    return drops


def unsupported_counts(rejections: pa.RecordBatch) -> dict[str, int]:
    """How many rows were dropped for want of a grammar (schemas.rejection.REJECTION), by UNSUPPORTED and their language."""
    pairs = zip(rejections.column("reason").to_pylist(), rejections.column("detail").to_pylist(), strict=True)
    # The detail begins with the language's name, and says why after a colon.
    names = Counter(detail.partition(":")[0] for reason, detail in pairs if reason == _NO_GRAMMAR)
    return {f"{UNSUPPORTED}{name}": count for name, count in names.items()}


LANGUAGE: Filter[pa.StringArray] = Filter(
    stage="language",
    measure=lambda rows, plan: rows.column("language"),
    decide=lambda names, languages, plan: decide_languages(
        names, known_languages(names), plan.languages, plan.grammars
    ),
    scores=(
        Score(
            "language",
            pa.string(),
            lambda names: names,
            lambda plan, language: (
                "any with a grammar" if plan.languages is None else f"one of {', '.join(sorted(plan.languages))}"
            ),
        ),
    ),
)
