"""Reading a rendered row back into the parts that it was made from."""

from collections.abc import Mapping
from dataclasses import dataclass

from stackfim.transforms.render.collision import collision
from stackfim.transforms.render.families import Family, family_named
from stackfim.transforms.render.template import MIDDLE, PATH, PREFIX, REPOSITORY, SUFFIX, match, segments


class NotRendered(ValueError):
    """A prompt and a completion that do not have the expected format."""


@dataclass(frozen=True)
class Parts:
    """The parts of a prompt and its completion; path and repository are None unless a header names them."""

    prefix: str
    middle: str
    suffix: str
    path: str | None = None
    repository: str | None = None


def parse_rendered(family: str, layout: str, prompt: str, completion: str) -> Parts:
    """The parts of a row that was rendered for `family`, in whichever SPM form and with or without a header.

    Raises NotRendered for another format, a sentinel that occurs twice, an end-of-text that is not last, and a part that
    holds a sentinel; ValueError for an unknown family or layout.
    """
    strings = family_named(family)
    if strings.begin and prompt.startswith(strings.begin):
        raise NotRendered(f"the prompt begins with {strings.begin}, expected none: the tokenizer puts it first")
    parts = _prompt_parts(strings, layout, prompt)
    if parts is None:
        raise NotRendered(f"the prompt is not in the layout {layout} of the family {family}")
    ending = match(segments(strings.completion), completion)
    if ending is None:
        raise NotRendered(f"the completion is not a middle with one {strings.end_of_text} at its end")
    parts = {**parts, **ending}
    held = collision(parts, family)
    if held is not None:
        raise NotRendered(held)
    return Parts(parts[PREFIX], parts[MIDDLE], parts[SUFFIX], parts.get(PATH), parts.get(REPOSITORY))


def _prompt_parts(family: Family, layout: str, prompt: str) -> Mapping[str, str] | None:
    """The parts by the first format of the layout that the prompt matches, None where it matches none.

    Formats with a header come first, since no other format has their sentinels.
    """
    for header in (True, False) if family.has_header else (False,):
        for form in family.forms_of(layout):
            parts = match(segments(family.prompt(form, header)), prompt)
            if parts is not None:
                return parts
    return None
