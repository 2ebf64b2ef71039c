"""Batches of real examples, rendered: what a trainer reads is whole, within the budget, and the same every time."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from tokenizers import Tokenizer, pre_tokenizers, processors

from stackfim.model.tokenizer import TokenizerError
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.rejection import REJECTION
from stackfim.schemas.rendered import RENDERED, TOKENIZED
from stackfim.transforms.render.batch import Renderer
from stackfim.transforms.render.families import FAMILIES
from stackfim.transforms.render.parse import NotRendered, Parts, parse_rendered
from stackfim.transforms.render.render_settings import RenderSettings
from stackfim.transforms.render.tokens import TextEncoder

Definition = Callable[[str], str]

BUDGETS = (256, 1024, 4096)
# A family of each kind of format with a tokenizer of each kind.
PAIRS = (
    ("refact", "gpt2"),
    ("starcoder", "gpt2"),
    ("starcoder2", "qwen"),
    ("codellama", "sentencepiece"),
    ("codellama", "gpt2"),
    ("codestral", "sentencepiece"),
    ("qwen2.5-coder", "qwen"),
    ("seed-coder", "gpt2"),
    ("starcoder", "indents"),
    ("refact", "oracle"),
)


def labels_of(row: dict[str, Any]) -> list[int]:
    """What a trainer is to learn by the mask."""
    return [number if flag else -100 for number, flag in zip(row["input_ids"], row["completion_mask"], strict=False)]


def defects(row: dict[str, Any], settings: RenderSettings, encoder: TextEncoder) -> list[str]:
    """What is wrong with a rendered row that has token ids, found by decoding them."""
    family, budget = FAMILIES[settings.family], settings.max_tokens or 1 << 30
    ids, mask = row["input_ids"], row["completion_mask"]
    found = []
    if row["labels"] != labels_of(row):
        found.append("labels that are not the mask's")
    if len(ids) > budget or len(mask) != len(ids):
        found.append("longer than the budget, or than its mask")
    if not ids or ids[-1] != encoder.sentinel(family.end_of_text) or not mask[-1]:
        found.append("end-of-text is not last, or masked")
    learned = mask.index(True) if True in mask else 0
    if any(mask[:learned]) or not all(mask[learned:]):
        found.append("the mask is not one run at the end")
    completion = encoder.decode(ids[learned:])
    if completion != row["completion"] or row["completion"] != family.completion.replace("{middle}", row["middle"]):
        found.append("the middle is not whole")
    begin = [encoder.sentinel(family.begin)] if family.begin else []
    if ids[: len(begin)] != begin or (begin and ids.count(begin[0]) != 1):
        found.append("there is not one begin token")
    prompt = encoder.decode(ids[len(begin) : learned])
    # Sentencepiece puts a blank before the prefix.
    if prompt.replace("[PREFIX] ", "[PREFIX]") != row["prompt"]:
        found.append("the ids of the prompt are of another text")
    try:
        back = parse_rendered(settings.family, row["layout"], row["prompt"], row["completion"])
    except NotRendered as error:
        return [*found, str(error)]
    return found + cut_defects(row, back)


def cut_defects(row: dict[str, Any], back: Parts) -> list[str]:
    """What is wrong with the prefix and suffix that are left of a row's."""
    found = []
    cursor_line = row["prefix"].rpartition("\n")[2]
    if not row["prefix"].endswith(back.prefix) or not back.prefix.endswith(cursor_line):
        found.append("the prefix lost what is at the cursor")
    elif back.prefix != row["prefix"] and not row["prefix"][: -len(back.prefix) or None].endswith("\n"):
        found.append("the prefix lost a part of a line")
    first_line = "".join(row["suffix"].partition("\n")[:2])
    if not row["suffix"].startswith(back.suffix) or not back.suffix.startswith(first_line):
        found.append("the suffix lost what is at the cursor")
    elif back.suffix != row["suffix"] and not back.suffix.endswith("\n"):
        found.append("the suffix lost a part of a line")
    return found


@pytest.mark.parametrize(("family", "kind"), PAIRS)
def test_no_row_loses_its_middle_or_its_end(
    rows: pa.RecordBatch, definition: Definition, family: str, kind: str
) -> None:
    encoder = TextEncoder(definition(kind))
    for budget in BUDGETS:
        settings = RenderSettings(family, max_tokens=budget, tokenize=True, tokenizer_json=definition(kind))
        some = rows.take(pa.array(range(0, rows.num_rows, 8)))
        rendered, rejected = Renderer(settings).render(some)
        assert rendered.num_rows + rejected.num_rows == some.num_rows
        assert set(rejected.column("reason").to_pylist()) <= {"over_budget", "tokenizer_changes_text"}
        assert kind == "oracle" or rendered.num_rows > (0.5 if budget == 256 else 0.9) * some.num_rows
        for row in rendered.to_pylist():
            assert defects(row, settings, encoder) == []


@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize(("family", "kind"), [("starcoder", "gpt2"), ("qwen2.5-coder", "qwen"), ("mellum", "gpt2")])
def test_a_trainer_that_reads_the_strings_gets_the_same_ids(
    rows: pa.RecordBatch, definition: Definition, family: str, kind: str, header: bool
) -> None:
    whole = Tokenizer.from_str(definition(kind))
    form = "separate" if family == "starcoder" else None
    settings = RenderSettings(
        family, spm_form=form, max_tokens=1024, tokenize=True, tokenizer_json=definition(kind), header=header
    )
    rendered, _ = Renderer(settings).render(rows.slice(0, 100))
    assert rendered.num_rows > 90
    for row in rendered.to_pylist():
        text = row["prompt"] + row["completion"]
        assert whole.encode(text, add_special_tokens=False).ids == row["input_ids"]


def published(definition: str, begin: str) -> Tokenizer:
    """The tokenizer with the post-processor that published ones have: it puts the begin token before every text."""
    made = Tokenizer.from_str(definition)
    if begin:
        number = made.token_to_id(begin)
        made.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", pair=f"{begin} $A $B", special_tokens=[(begin, number)]
        )
    return made


@pytest.mark.parametrize("family", FAMILIES)
def test_exactly_one_begin_token_in_ids_and_in_strings(
    rows: pa.RecordBatch, definition: Definition, family: str
) -> None:
    """As many as the published tokenizer puts there: one in five families, none in the others."""
    begin = FAMILIES[family].begin
    whole = published(definition("gpt2"), begin)
    seen = []
    # Whether the tokenizer's own file says so, or only a setting beside it.
    for tokenizer in (definition("gpt2"), whole.to_str()):
        settings = RenderSettings(family, max_tokens=1024, tokenize=True, tokenizer_json=tokenizer)
        rendered, _ = Renderer(settings).render(rows.slice(0, 40))
        assert rendered.num_rows > 30
        for row in rendered.to_pylist():
            assert not begin or begin not in row["prompt"] + row["completion"]
            read = whole.encode(row["prompt"] + row["completion"]).ids
            for ids in (row["input_ids"], read):
                assert [whole.id_to_token(number) for number in ids].count(begin) == (1 if begin else 0)
            assert row["input_ids"][:2] == read[:2]
            assert len(row["input_ids"]) <= 1024
        seen.append(rendered)
    assert seen[0].equals(seen[1])
    assert bool(begin) == (family in {"codellama", "deepseek-coder", "codegemma", "codestral", "seed-coder"})


def test_a_begin_token_of_the_given_tokenizer_alone_counts_too(rows: pa.RecordBatch, definition: Definition) -> None:
    whole = published(definition("gpt2"), "<s>")
    settings = RenderSettings("refact", max_tokens=512, tokenize=True, tokenizer_json=whole.to_str())
    rendered, _ = Renderer(settings).render(rows.slice(0, 20))
    for row in rendered.to_pylist():
        assert row["input_ids"] == whole.encode(row["prompt"] + row["completion"]).ids
        assert row["input_ids"][0] == whole.token_to_id("<s>")


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_code_llama_s_sentinels_are_read_from_strings(
    rows: pa.RecordBatch, definition: Definition, share: float
) -> None:
    """As transformers reads them today: a blank before the first text alone, which here is a sentinel."""
    whole = published(definition("sentencepiece"), "<s>")
    whole.normalizer = None
    whole.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    settings = RenderSettings(
        "codellama", spm_share=share, tokenize=True, max_tokens=512, tokenizer_json=definition("sentencepiece")
    )
    rendered, _ = Renderer(settings).render(rows.slice(0, 60))
    assert rendered.num_rows > 30
    same = 0
    for row in rendered.to_pylist():
        ids = whole.encode(row["prompt"] + row["completion"]).ids
        names = [whole.id_to_token(number) for number in ids]
        for sentinel in ("<s>", "▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"):
            assert names.count(sentinel) == 1
        assert ids[:2] == [whole.token_to_id("<s>"), whole.token_to_id("▁<PRE>")]
        assert ids[-1] == whole.token_to_id("▁<EOT>")
        # Where prefix and middle are side by side, a string may have one token across both.
        same += ids == row["input_ids"]
    assert same == rendered.num_rows if share == 0 else same > 0


def test_special_tokens_of_the_given_tokenizer_are_collisions(rows: pa.RecordBatch, definition: Definition) -> None:
    whole = Tokenizer.from_str(definition("gpt2"))
    whole.add_special_tokens(["<ours>"])
    whole.add_tokens(["<tool_use>", "õ"])
    settings = RenderSettings("refact", tokenize=True, tokenizer_json=whole.to_str())
    values = rows.slice(0, 6).to_pylist()
    texts = ["x<ours>y", "x<tool_use>y", "õ", "<table>", "x < ours", "y"]
    for value, text in zip(values, texts, strict=True):
        value |= {"middle": text}
    rendered, rejected = Renderer(settings).render(pa.RecordBatch.from_pylist(values, EXAMPLE))
    assert set(rejected.column("reason").to_pylist()) == {"sentinel_collision"}
    assert [detail.rsplit(" ", 1)[1] for detail in rejected.column("detail").to_pylist()] == ["<ours>", "<tool_use>"]
    for row in rendered.to_pylist():
        assert row["input_ids"] == whole.encode(row["prompt"] + row["completion"]).ids


def test_joined_prefix_and_middle_fit_when_they_are_encoded_as_one(
    rows: pa.RecordBatch, definition: Definition
) -> None:
    whole = Tokenizer.from_str(definition("gpt2"))
    settings = RenderSettings("starcoder", spm_share=1.0, max_tokens=256, tokenizer_json=definition("gpt2"))
    rendered, _ = Renderer(settings).render(rows)
    assert rendered.num_rows > 100
    for row in rendered.to_pylist():
        assert len(whole.encode(row["prompt"] + row["completion"], add_special_tokens=False).ids) <= 256


def test_each_defect_is_seen(rows: pa.RecordBatch, definition: Definition) -> None:
    settings = RenderSettings(max_tokens=300, tokenize=True, tokenizer_json=definition("gpt2"), spm_share=0.0)
    encoder = TextEncoder(definition("gpt2"))
    rendered, _ = Renderer(settings).render(rows)
    row = next(
        row
        for row in rendered.to_pylist()
        if len(row["middle"]) > 20 and row["prefix"].rpartition("\n")[2].strip() and len(row["prefix"]) > 2000
    )
    ids, mask, prompt, completion = (row[name] for name in ("input_ids", "completion_mask", "prompt", "completion"))
    end = ids[-1]
    body = prompt.removeprefix("<fim_prefix>")
    mutants = {
        "cut on the right": {"input_ids": ids[:-1], "completion_mask": mask[:-1]},
        "end-of-text masked": {"completion_mask": [*mask[:-1], False]},
        "middle masked": {"completion_mask": [False] * (len(mask) - 1) + [True]},
        "prompt learned": {"completion_mask": [True] * len(mask)},
        "middle cut": {"input_ids": [*ids[:-2], end], "completion_mask": mask[1:]},
        "completion cut": {"completion": completion[1:]},
        "another id": {"input_ids": [ids[0], ids[1] + 1, *ids[2:]]},
        "sentinel out of place": {"input_ids": [end, *ids[1:]]},
        "over the budget": {"input_ids": ids[:1] + ids[1:2] * 300 + ids[1:], "completion_mask": [False] * 300 + mask},
        "cursor line cut": {"prompt": "<fim_prefix>" + prompt[prompt.index("<fim_suffix>") :]},
        "a part of a line": {"prompt": "<fim_prefix>" + body[1:]},
        "suffix gone": {"prompt": prompt.partition("<fim_suffix>")[0] + "<fim_suffix><fim_middle>"},
        "suffix mid-line": {"prompt": prompt.replace("\n<fim_middle>", "<fim_middle>")},
        "another layout": {"layout": "spm"},
    }
    assert defects(row, settings, encoder) == []
    for name, change in mutants.items():
        assert row != row | change, name
        changed = row | change
        changed["labels"] = labels_of(changed)
        assert defects(changed, settings, encoder), name
    assert defects(row | {"labels": ids}, settings, encoder), "labels of the prompt"


def test_characters_bound_prompt_and_completion(rows: pa.RecordBatch) -> None:
    for budget in (600, 3000):
        rendered, rejected = Renderer(RenderSettings("codellama", max_chars=budget)).render(rows)
        lengths = [len(row["prompt"] + row["completion"]) for row in rendered.to_pylist()]
        assert max(lengths) <= budget
        assert sum(length > 0.9 * budget for length in lengths) > 0.5 * len(lengths)
        assert set(rejected.column("reason").to_pylist()) <= {"over_budget"}
        for row in rendered.to_pylist():
            back = parse_rendered("codellama", row["layout"], row["prompt"], row["completion"])
            assert back.middle == row["middle"]
            assert row["prefix"].endswith(back.prefix)


def test_nothing_is_cut_without_a_budget(rows: pa.RecordBatch) -> None:
    rendered, rejected = Renderer(RenderSettings()).render(rows)
    assert rejected.num_rows == 0
    assert all(row["prefix"] in row["prompt"] and row["suffix"] in row["prompt"] for row in rendered.to_pylist())
    assert rendered.schema.names == [*EXAMPLE.names, *(field.name for field in RENDERED)]
    assert rendered.select(EXAMPLE.names).equals(rows)


def test_every_row_is_rendered_or_rejected_with_a_reason(rows: pa.RecordBatch, definition: Definition) -> None:
    settings = RenderSettings("starcoder", max_tokens=80, tokenizer_json=definition("gpt2"), header=True)
    values = rows.slice(0, 40).to_pylist()
    values[3] |= {"middle": "<fim_pad>"}
    values[5] |= {"path": "a\nb"}
    values[7] |= {"repository": "o/<filename>"}
    rendered, rejected = Renderer(settings).render(pa.RecordBatch.from_pylist(values, EXAMPLE))
    assert rejected.schema.equals(REJECTION)
    reasons = Counter(rejected.column("reason").to_pylist())
    assert (reasons["sentinel_collision"], reasons["unprintable_header"]) == (2, 1)
    assert reasons["over_budget"] >= 1
    kept = rendered.column("example_id").to_pylist()
    matches = [re.match(r"example (\w{16}): ", detail) for detail in rejected.column("detail").to_pylist()]
    gone = [found[1] for found in matches if found]
    ids = [value["example_id"] for value in values]
    assert [id_ for id_ in ids if id_ in kept] == kept
    assert [id_ for id_ in ids if id_ in gone] == gone
    assert sorted(kept + gone) == sorted(ids)
    assert {"stage": "render", "unit": "example"}.items() <= rejected.to_pylist()[0].items()


def test_a_text_that_the_tokenizer_changes_is_rejected(rows: pa.RecordBatch, definition: Definition) -> None:
    values = rows.slice(0, 2).to_pylist()
    values[1] |= {"middle": "e\u0301"}
    batch = pa.RecordBatch.from_pylist(values, EXAMPLE)
    settings = RenderSettings("qwen2.5-coder", tokenize=True, tokenizer_json=definition("qwen"))
    rendered, rejected = Renderer(settings).render(batch)
    assert (rendered.num_rows, rejected.column("reason").to_pylist()) == (1, ["tokenizer_changes_text"])
    assert Renderer(RenderSettings("qwen2.5-coder")).render(batch)[1].num_rows == 0


def test_layouts_are_drawn_by_id_and_seed_alone(rows: pa.RecordBatch) -> None:
    def layouts(batch: pa.RecordBatch, settings: RenderSettings) -> dict[str, str]:
        rendered, _ = Renderer(settings).render(batch)
        names = rendered.column("example_id").to_pylist(), rendered.column("layout").to_pylist()
        return dict(zip(*names, strict=True))

    half = layouts(rows, RenderSettings())
    assert layouts(rows.slice(7, 50), RenderSettings()).items() <= half.items()
    assert layouts(rows, RenderSettings(seed=1)) != half
    assert 0.35 < list(half.values()).count("spm") / len(half) < 0.65
    few = layouts(rows, RenderSettings(spm_share=0.2))
    assert {key for key, layout in few.items() if layout == "spm"} < {key for key in half if half[key] == "spm"}
    assert 0.08 < list(few.values()).count("spm") / len(few) < 0.32
    assert set(layouts(rows, RenderSettings(spm_share=0.0)).values()) == {"psm"}
    assert set(layouts(rows, RenderSettings("deepseek-coder")).values()) == {"psm"}
    assert set(layouts(rows, RenderSettings("codestral")).values()) == {"spm"}


def test_the_result_does_not_depend_on_the_batches(rows: pa.RecordBatch, definition: Definition) -> None:
    settings = RenderSettings(max_tokens=512, tokenize=True, tokenizer_json=definition("gpt2"))
    whole, rejected = Renderer(settings).render(rows)
    renderer = Renderer(settings)
    parts = [renderer.render(rows.slice(start, 33)) for start in range(0, rows.num_rows, 33)]
    assert pa.Table.from_batches([part for part, _ in parts]).equals(pa.Table.from_batches([whole]))
    assert pa.Table.from_batches([part for _, part in parts]).equals(pa.Table.from_batches([rejected]))


def test_an_empty_batch_has_all_columns(rows: pa.RecordBatch, definition: Definition) -> None:
    settings = RenderSettings(tokenize=True, tokenizer_json=definition("gpt2"))
    rendered, rejected = Renderer(settings).render(rows.slice(0, 0))
    assert (rendered.num_rows, rejected.num_rows) == (0, 0)
    assert rendered.schema.equals(Renderer(settings).render(rows)[0].schema)
    assert rendered.schema.names[-6:] == [field.name for field in (*RENDERED, *TOKENIZED)]


def test_a_second_rendering_replaces_the_first(rows: pa.RecordBatch, definition: Definition) -> None:
    first, _ = Renderer(RenderSettings(tokenize=True, tokenizer_json=definition("gpt2"))).render(rows)
    again, _ = Renderer(RenderSettings("codestral")).render(first)
    assert again.equals(Renderer(RenderSettings("codestral")).render(rows)[0])


def test_wrong_settings_are_errors_that_say_what_was_expected(definition: Definition) -> None:
    for wrong, message in (
        ({"family": "gpt"}, "family is 'gpt', expected one of refact"),
        ({"spm_share": 1.5}, "spm_share is 1.5, expected a share from 0 to 1"),
        ({"spm_share": "0.5"}, "spm_share is '0.5', expected a share from 0 to 1"),
        ({"family": "qwen2.5-coder", "spm_share": 0.5}, "has no layout with the suffix first"),
        ({"family": "codestral", "spm_share": 0.5}, "has no layout psm"),
        (
            {"family": "codellama", "spm_form": "separate"},
            "spm_form is 'separate', expected for the family codellama joined",
        ),
        ({"family": "deepseek-coder", "spm_form": "joined"}, "spm_form is 'joined', .* none"),
        ({"header": True}, "refact has no header"),
        ({"max_chars": 0}, "max_chars is 0, expected a whole number from 1"),
        ({"max_tokens": True}, "max_tokens is True, expected a whole number from 1"),
        ({"seed": 0.5}, "seed is 0.5, expected a whole number"),
        ({"max_tokens": 5}, "need a tokenizer"),
        ({"tokenize": True}, "need a tokenizer"),
        ({"max_tokens": 5, "max_chars": 5, "tokenizer_json": "{}"}, "max_chars is 5 and max_tokens is 5"),
    ):
        with pytest.raises(ValueError, match=message):
            RenderSettings(**wrong)
    mistaken = RenderSettings("granite-4", tokenize=True, tokenizer_json=definition("oracle"))
    with pytest.raises(TokenizerError, match="no token"):
        Renderer(mistaken).render(pa.RecordBatch.from_pylist([], EXAMPLE))


def test_settings_tell_renderings_apart(definition: Definition) -> None:
    base = RenderSettings(tokenizer_json=definition("gpt2"), max_tokens=100)
    assert base.to_json() == replace(base).to_json()
    assert len(base.to_json()) < 500
    others = ({"seed": 1}, {"max_tokens": 101}, {"tokenizer_json": definition("qwen")}, {"spm_share": 0.5})
    assert len({base.to_json(), *(replace(base, **other).to_json() for other in others)}) == 5
