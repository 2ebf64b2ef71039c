"""The exact strings of every family."""

import pytest

from stackfim.schemas.layout import LAYOUTS, PSM, SPM
from stackfim.transforms.render.families import (
    FAMILIES,
    JOINED,
    SEPARATE,
    SPM_FORMS,
    STARCODER_SENTINELS,
    family_named,
)
from stackfim.transforms.render.template import PREFIX, SUFFIX, fill, runs, segments, sentinels

PARTS = {"prefix": "P", "middle": "M", "suffix": "S", "path": "a/b.py", "repository": "o/n"}

UNDERSCORED = {
    PSM: "<fim_prefix>P<fim_suffix>S<fim_middle>M<|endoftext|>",
    SEPARATE: "<fim_suffix>S<fim_prefix>P<fim_middle>M<|endoftext|>",
    JOINED: "<fim_prefix><fim_suffix>S<fim_middle>PM<|endoftext|>",
}
WHOLE = {
    **dict.fromkeys(("refact", "starcoder", "starcoder2", "stable-code"), UNDERSCORED),
    "mellum": {SEPARATE: UNDERSCORED[SEPARATE]},
    "granite-3": {form: text.replace("<|endoftext|>", "<|end_of_text|>") for form, text in UNDERSCORED.items()},
    "granite-4": {PSM: "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>M<|end_of_text|>"},
    "santacoder": {
        PSM: "<fim-prefix>P<fim-suffix>S<fim-middle>M<|endoftext|>",
        JOINED: "<fim-prefix><fim-suffix>S<fim-middle>PM<|endoftext|>",
    },
    "codellama": {PSM: "▁<PRE> P▁<SUF>S▁<MID>M▁<EOT>", JOINED: "▁<PRE>▁<SUF>S▁<MID> PM▁<EOT>"},
    "deepseek-coder": {PSM: "<\uff5cfim\u2581begin\uff5c>P<\uff5cfim\u2581hole\uff5c>S<\uff5cfim\u2581end\uff5c>M<\uff5cend\u2581of\u2581sentence\uff5c>"},
    "qwen2.5-coder": {PSM: "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>M<|endoftext|>"},
    "codegemma": {PSM: "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>M<|file_separator|>"},
    "codestral": {JOINED: "[SUFFIX]S[PREFIX]PM</s>"},
    "seed-coder": {SEPARATE: "<[fim-suffix]>S<[fim-prefix]>P<[fim-middle]>M<[end\u2581of\u2581sentence]>"},
}  # fmt: skip
HEADED = {
    ("starcoder", PSM): "<fim_prefix><reponame>o/n<filename>a/b.py\nP<fim_suffix>S<fim_middle>M<|endoftext|>",
    ("starcoder", JOINED): "<fim_prefix><fim_suffix>S<fim_middle><reponame>o/n<filename>a/b.py\nPM<|endoftext|>",
    ("starcoder2", PSM): "<repo_name>o/n<file_sep><fim_prefix>a/b.py\nP<fim_suffix>S<fim_middle>M<|endoftext|>",
    ("mellum", SEPARATE): "<filename>a/b.py\n<fim_suffix>S<fim_prefix>P<fim_middle>M<|endoftext|>",
    (
        "qwen2.5-coder",
        PSM,
    ): "<|repo_name|>o/n\n<|file_sep|>a/b.py\n<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>M<|endoftext|>",
}


def whole(name: str, form: str, header: bool = False) -> str:
    family = family_named(name)
    return fill(segments(family.prompt(form, header)) + segments(family.completion), PARTS)


def test_every_family_and_form_is_exact() -> None:
    assert {name: {form: whole(name, form) for form in family.forms} for name, family in FAMILIES.items()} == WHOLE


def test_headers_are_exact() -> None:
    assert {(name, form): whole(name, form, header=True) for name, form in HEADED} == HEADED
    assert {name for name, family in FAMILIES.items() if family.has_header} == {name for name, _ in HEADED}


def test_no_sentinel_stands_twice_and_end_of_text_is_last() -> None:
    for family in FAMILIES.values():
        assert family.completion.endswith(family.end_of_text)
        for form in family.forms:
            for header in {False, family.has_header}:
                found = sentinels(family.prompt(form, header) + family.completion)
                assert len(set(found)) == len(found)
                assert set(found) <= family.sentinels


def test_all_text_of_a_format_is_a_sentinel_a_part_or_a_blank() -> None:
    """A sentinel that the pattern missed would be a literal, and could be in any file."""
    for family in FAMILIES.values():
        for form in family.forms:
            for segment in segments(family.prompt(form, family.has_header)) + segments(family.completion):
                assert segment.kind.value != "literal" or segment.text in (" ", "\n")


def test_a_family_with_both_spm_forms_says_which_it_was_trained_on() -> None:
    for family in FAMILIES.values():
        assert (family.spm_form in family.forms) == bool({SEPARATE, JOINED} & set(family.forms))


def test_prefix_and_suffix_are_never_in_one_run_of_text() -> None:
    """Each is cut to a budget by itself, with the text that is encoded together with it."""
    for family in FAMILIES.values():
        for form in family.forms:
            for run in runs(segments(family.prompt(form, family.has_header))):
                assert not {PREFIX, SUFFIX} <= {segment.text for segment in run}


def test_a_layout_has_the_form_that_the_family_was_trained_on() -> None:
    for family in FAMILIES.values():
        found = {layout: family.forms_of(layout) for layout in LAYOUTS}
        assert {form for forms in found.values() for form in forms} == set(family.forms)
        assert found[PSM] == ((PSM,) if PSM in family.forms else ())
        assert set(found[SPM]) <= set(SPM_FORMS)
        for layout in LAYOUTS:
            if found[layout]:
                assert family.form(layout) in found[layout]


def test_the_starcoder_sentinels_hold_those_of_its_family_and_of_refact() -> None:
    for name in ("refact", "starcoder"):
        family = family_named(name)
        assert family.fim_sentinels == ("<|endoftext|>", "<fim_prefix>", "<fim_suffix>", "<fim_middle>")
        assert family.sentinels == set(STARCODER_SENTINELS)


def test_a_chat_has_its_parts_and_ends_with_end_of_text() -> None:
    for family in FAMILIES.values():
        if family.chat is not None:
            assert set(sentinels(family.chat.prompt)) <= family.sentinels
            assert sentinels(family.chat.completion)[-1] == family.end_of_text
    chat = family_named("refact").chat
    assert chat is not None
    parts = {"system": chat.system, "query": "Q", "response": "R"}
    assert fill(segments(chat.prompt + chat.completion), parts) == (
        "<empty_output>SYSTEM You are a programming assistant\n<empty_output>USER Q\n<empty_output>ASSISTANT R<|endoftext|>"
    )


def test_unknown_names_are_errors_that_name_the_known() -> None:
    with pytest.raises(ValueError, match="'starcoder3', expected one of .*starcoder2"):
        family_named("starcoder3")
    with pytest.raises(ValueError, match="form is 'psm', expected one of the family mellum: separate"):
        family_named("mellum").prompt(PSM)
    with pytest.raises(ValueError, match="layout is 'psm', expected one that the family mellum has"):
        family_named("mellum").form(PSM)
    with pytest.raises(ValueError, match="layout is 'pms', expected psm or spm"):
        family_named("mellum").forms_of("pms")
    with pytest.raises(ValueError, match="codellama has no header"):
        family_named("codellama").prompt(PSM, header=True)
