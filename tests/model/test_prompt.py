"""Prompts as ids follow the formats of the families, whatever the texts hold."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from stackfim.model.prompt import FimPrompt, chat_ids
from stackfim.model.tokenizer import Tokenizer
from stackfim.schemas.layout import LAYOUTS
from stackfim.transforms.render.families import FAMILIES, Family, family_named
from stackfim.transforms.render.template import fill, segments

PREFIX, SUFFIX = "def f(x):\n    return <fim_middle>", "\n\nprint(f(1))  # <|endoftext|>\n"


def tokenizer_of(definition: dict[str, Any], family: Family) -> Tokenizer:
    """The trained tokenizer with the sentinels of a family added to it."""
    changed = copy.deepcopy(definition)
    known = {token["content"] for token in changed["added_tokens"]}
    for number, text in enumerate(sorted(family.sentinels - known)):
        changed["added_tokens"].append({**changed["added_tokens"][0], "content": text, "id": 2048 + number})
    return Tokenizer(changed, family)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_ids_of_a_prompt_are_those_of_the_family_s_format(definition: dict[str, Any], name: str) -> None:
    family = family_named(name)
    tokenizer = tokenizer_of(definition, family)
    head, tail = tokenizer.encode(PREFIX), tokenizer.encode(SUFFIX)
    for layout in LAYOUTS:
        if not family.forms_of(layout):
            with pytest.raises(ValueError, match=f"layout is '{layout}', expected one that the family {name} has"):
                FimPrompt(tokenizer, layout)
            continue
        prompt = FimPrompt(tokenizer, layout)
        format_ = segments(family.begin + family.prompt(family.form(layout)))
        ids = prompt.ids(head, tail)
        assert tokenizer.decode(ids) == fill(format_, {"prefix": PREFIX, "suffix": SUFFIX})
        assert len(ids) + 1 == len(head) + len(tail) + prompt.special_tokens
        sentinels = [text for text, number in tokenizer.sentinels.items() if number in ids]
        assert set(sentinels) == {segment.text for segment in format_ if segment.kind.value == "sentinel"}


def test_an_unknown_layout_is_named(tokenizer: Tokenizer) -> None:
    with pytest.raises(ValueError, match="layout is 'pms', expected psm or spm"):
        FimPrompt(tokenizer, "pms")


def test_a_family_without_a_chat_format_cannot_chat(definition: dict[str, Any]) -> None:
    tokenizer = tokenizer_of(definition, family_named("starcoder"))
    with pytest.raises(ValueError, match="the family starcoder has no chat format"):
        chat_ids(tokenizer, "hi")
