"""A rendered row read back: its parts, and what is wrong with it where it gives none."""

from collections.abc import Mapping
from dataclasses import dataclass

from stackfim.transforms.render.collision import collision
from stackfim.transforms.render.families import LAYOUTS, PSM, SPM_FORMS, Family, family_named
from stackfim.transforms.render.template import MIDDLE, PATH, PREFIX, REPOSITORY, SUFFIX, match, segments


class NotRendered(ValueError):
    """A prompt and a completion are not of the format that they should be of."""


@dataclass(frozen=True)
class Parts:
    """What a prompt and a completion were made from; path and repository are None without a header that has them."""

    prefix: str
    middle: str
    suffix: str
    path: str | None = None
    repository: str | None = None


def parse_rendered(family: str, layout: str, prompt: str, completion: str) -> Parts:
    """The parts of a row that was rendered for `family`, in whichever SPM form and with or without a header.

    Raises NotRendered where the format is another one, a sentinel stands twice, end-of-text is not last, or a part
    holds a sentinel; ValueError for a family or layout that does not exist.
    """
    strings = family_named(family)
    if layout not in LAYOUTS:
        raise ValueError(f"layout is {layout!r}, expected {' or '.join(LAYOUTS)}")
    ending = match(segments(strings.completion), completion)
    if ending is None:
        raise NotRendered(f"the completion is no middle and one {strings.end_of_text} at its end")
    parts = _prompt_parts(strings, layout, prompt)
    if parts is None:
        raise NotRendered(f"the prompt is not in the layout {layout} of the family {family}")
    parts = {**parts, **ending}
    held = collision(parts, family)
    if held is not None:
        raise NotRendered(held)
    return Parts(parts[PREFIX], parts[MIDDLE], parts[SUFFIX], parts.get(PATH), parts.get(REPOSITORY))


def _prompt_parts(family: Family, layout: str, prompt: str) -> Mapping[str, str] | None:
    """The parts in the one format of a layout that the prompt is in.

    Formats with a header come first: their sentinels stand in no other.
    """
    for header in (True, False) if family.has_header else (False,):
        for form in (PSM,) if layout == PSM else SPM_FORMS:
            if form in family.forms:
                parts = match(segments(family.prompt(form, header)), prompt)
                if parts is not None:
                    return parts
    return None
