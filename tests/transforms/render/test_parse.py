"""What was rendered can be read back, for all families, layouts and forms."""

import itertools

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.layout import LAYOUTS, PSM, SPM
from stackfim.transforms.render.batch import Renderer
from stackfim.transforms.render.collision import collision, forbidden
from stackfim.transforms.render.families import FAMILIES, SPM_FORMS
from stackfim.transforms.render.parse import NotRendered, Parts, parse_rendered
from stackfim.transforms.render.render_settings import RenderSettings

# (family, layout, form, header) of every rendering that there is.
RENDERINGS = [
    (family.name, layout, form, header)
    for family in FAMILIES.values()
    for layout, forms in ((PSM, (PSM,)), (SPM, SPM_FORMS))
    for form in forms
    if form in family.forms
    for header in sorted({False, family.has_header})
]

# Halves of sentinels, what is around them in the formats, and breaks of every kind.
FRAGMENTS = st.sampled_from(
    ["<fim_", "<|fim_", "fim_prefix", "prefix>", "middle|>", "<PRE", "PRE>", " <", " ", "\n", "\r\n", "<", ">", "|>", "[SUF"]
    + ["[PREFIX", "FIX]", "</", "s>", "<\uff5cfim", "\u2581end\uff5c>", "<[fim-", "x", "é", "\u2028", "\x00", "<|endof", "text|>", "]>"]
)  # fmt: skip
TEXTS = st.lists(FRAGMENTS, max_size=8).map("".join)


def settings_of(family: str, layout: str, form: str, header: bool) -> RenderSettings:
    return RenderSettings(
        family, spm_share=float(layout == SPM), spm_form=form if layout == SPM else None, header=header
    )


def row_of(prefix: str, middle: str, suffix: str, path: str = "a/b c.py", repository: str = "o/n") -> pa.RecordBatch:
    values = {field.name: _blank(field.type) for field in EXAMPLE}
    values |= {"example_id": "0" * 16, "path": path, "repository": repository}
    return pa.RecordBatch.from_pylist([values | {"prefix": prefix, "middle": middle, "suffix": suffix}], EXAMPLE)


def _blank(type_: pa.DataType) -> object:
    if pa.types.is_list(type_):
        return []
    return "" if pa.types.is_string(type_) else 0 if pa.types.is_integer(type_) else False


def test_all_renderings_are_there() -> None:
    assert {(family, layout) for family, layout, _, _ in RENDERINGS} == {
        (name, layout)
        for name, layout in itertools.product(FAMILIES, LAYOUTS)
        if (layout == PSM) <= (PSM in FAMILIES[name].forms)
        and (layout == SPM) <= bool(set(SPM_FORMS) & set(FAMILIES[name].forms))
    }


@pytest.mark.parametrize(("family", "layout", "form", "header"), RENDERINGS)
@settings(max_examples=20)
@given(parts=st.tuples(TEXTS, TEXTS, TEXTS))
def test_parts_come_back_or_are_refused(
    family: str, layout: str, form: str, header: bool, parts: tuple[str, str, str]
) -> None:
    rendered, rejected = Renderer(settings_of(family, layout, form, header)).render(row_of(*parts))
    held = collision(dict(zip(("prefix", "middle", "suffix"), parts, strict=True)), family)
    if held is not None:
        assert (rendered.num_rows, rejected.column("reason").to_pylist()) == (0, ["sentinel_collision"])
        return
    (row,) = rendered.select(["prompt", "completion", "layout"]).to_pylist()
    back = parse_rendered(family, row["layout"], row["prompt"], row["completion"])
    assert (back.prefix, back.middle, back.suffix) == parts
    assert row["layout"] == layout
    if header:
        assert back.path == "a/b c.py"
        assert back.repository in ("o/n", None)
    else:
        assert back == Parts(*parts)


@pytest.mark.parametrize(("family", "layout", "form", "header"), RENDERINGS)
def test_real_rows_come_back(rows: pa.RecordBatch, family: str, layout: str, form: str, header: bool) -> None:
    rendered, rejected = Renderer(settings_of(family, layout, form, header)).render(rows)
    assert rendered.num_rows + rejected.num_rows == rows.num_rows
    assert rendered.num_rows > 0.98 * rows.num_rows
    for row in rendered.to_pylist():
        back = parse_rendered(family, row["layout"], row["prompt"], row["completion"])
        assert (back.prefix, back.middle, back.suffix) == (row["prefix"], row["middle"], row["suffix"])
        assert back.path == (row["path"] if header else None)


def mutants(prompt: str, completion: str, family: str, layout: str) -> dict[str, tuple[str, str, str]]:
    """Renderings with one thing wrong each, as (layout, prompt, completion)."""
    end = FAMILIES[family].end_of_text
    sentinel = max(forbidden(family) & {word for word in forbidden(family) if word in prompt}, key=len)
    other = PSM if layout == SPM else SPM
    return {
        "end-of-text is lost": (layout, prompt, completion.removesuffix(end)),
        "end-of-text is cut": (layout, prompt, completion[:-1]),
        "end-of-text stands twice": (layout, prompt, completion + end),
        "end-of-text is not last": (layout, prompt, completion + "\n"),
        "a sentinel is lost": (layout, prompt.replace(sentinel, "", 1), completion),
        "a sentinel stands twice": (layout, prompt.replace(sentinel, sentinel * 2, 1), completion),
        "a sentinel is in the middle": (layout, prompt, sentinel + completion),
        "end-of-text is in the prompt": (layout, prompt + end, completion),
        "another order is claimed": (other, prompt, completion),
    }


@pytest.mark.parametrize(("family", "layout", "form", "header"), RENDERINGS)
def test_what_is_wrong_is_seen(family: str, layout: str, form: str, header: bool) -> None:
    rendered, _ = Renderer(settings_of(family, layout, form, header)).render(row_of("p\n", "m", "\ns"))
    prompt, completion = rendered.column("prompt")[0].as_py(), rendered.column("completion")[0].as_py()
    for name, (claimed, *texts) in mutants(prompt, completion, family, layout).items():
        try:
            back = parse_rendered(family, claimed, *texts)
        except NotRendered:
            continue
        pytest.fail(f"{name}: {texts} was read as {back}")


def test_unknown_families_and_layouts_are_errors() -> None:
    with pytest.raises(ValueError, match="layout is 'pms'"):
        parse_rendered("refact", "pms", "", "")
    with pytest.raises(ValueError, match="family is 'refuct', expected one of refact"):
        parse_rendered("refuct", PSM, "", "")
