"""Languages: rows stay in a language that was asked for and that a grammar is there for."""

from collections.abc import Sequence

import pyarrow as pa

from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.languages import OFFICIAL, language_name, of_grammars, unsupported_reason


def known_languages(languages: pa.StringArray) -> list[str | None]:
    """For every row, the language's name in the table of languages; None for one that is not supported."""
    names = languages.to_pylist()
    known = {name: language_name(name) for name in dict.fromkeys(names)}
    return [known[name] for name in names]


def decide_languages(
    languages: pa.StringArray,
    known: list[str | None],
    wanted: frozenset[str] | None,
    grammars: Sequence[str] = (OFFICIAL,),
) -> Drops:
    """Drops `language_unsupported`, with why, and, when `wanted` names languages, `language_not_asked_for`.

    A language whose grammar is in none of the sets `grammars` is not supported.
    """
    drops: Drops = {}
    for row, (name, supported) in enumerate(zip(languages.to_pylist(), known, strict=True)):
        if supported is None:
            drops[row] = ("language_unsupported", unsupported_reason(name) if name else "the source names no language")
        elif not of_grammars(supported, grammars):
            drops[row] = (
                "language_unsupported",
                f"{supported}: its grammar is a legacy one, which `grammars` has to name",
            )
        elif wanted is not None and supported not in wanted:
            drops[row] = ("language_not_asked_for", supported)
    return drops
