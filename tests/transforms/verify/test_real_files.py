"""No row that the splitter makes of a real file breaks an invariant."""

from collections import Counter
from dataclasses import replace

import pytest

from stackfim.transforms.languages import LANGUAGES
from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.split_settings import KINDS, SplitSettings
from tests.fixture_types import RowsOf, SourceFile, ViolationsOf

EVERY_KIND = {kind: 1.0 for kinds in KINDS.values() for kind in kinds}
DENSE = SplitSettings(
    max_slots=32,
    lines_per_slot=3,
    category_weights={category: float(len(kinds)) for category, kinds in KINDS.items()},
    kind_weights=EVERY_KIND,
)
ALL_KINDS = set(EVERY_KIND)


@pytest.mark.parametrize("line_break", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_rows_of_every_language_break_no_invariant(
    rows_of: RowsOf, violations_of: ViolationsOf, each_source: SourceFile, line_break: str
) -> None:
    content = each_source.content.replace(b"\n", line_break.encode())
    rows = rows_of([(each_source.language, content)])
    kinds: Counter[str] = Counter()
    for seed, context_bytes in ((0, 0), (1, 900), (2, 16_000), (3, 300)):
        settings = replace(DENSE, seed=seed, context_bytes=context_bytes)
        for row in Splitter(settings, "0").split(rows).examples.to_pylist():
            kinds[row["kind"]] += 1
            assert violations_of(row, content) == [], (row["kind"], row["middle"])
    # A short file need not have a site of every kind.
    has_statements = LANGUAGES[each_source.language].has_statements
    assert len(kinds) >= (13 if has_statements else 2)
    assert kinds.total() > (25 if has_statements else 15)


def test_rows_of_installed_packages_break_no_invariant(
    rows_of: RowsOf,
    violations_of: ViolationsOf,
    installed: tuple[SourceFile, ...],
    package_files: list[tuple[str, bytes]],
) -> None:
    files = [(file.language, file.content) for file in installed] + package_files
    assert len(files) > 250
    assert {language for language, _ in files} >= {"Python", "C", "C++"}
    rows = rows_of(files)
    contents = dict(zip(rows.column("content_id").to_pylist(), (content for _, content in files), strict=True))
    examples = Splitter(SplitSettings(), "0").split(rows).examples.to_pylist()
    assert len(examples) > 800
    assert {row["kind"] for row in examples} == ALL_KINDS
    for row in examples:
        assert violations_of(row, contents[row["content_id"]]) == [], (row["kind"], row["middle"])


def test_rows_under_other_limits_keep_them(
    rows_of: RowsOf, violations_of: ViolationsOf, sources: tuple[SourceFile, ...]
) -> None:
    limits = replace(SplitSettings().limits, max_lines=4, max_chars=120, newline_in_middle_share=1.0)
    settings = replace(DENSE, limits=limits, max_slots=12)
    for file in sources:
        for row in Splitter(settings, "0").split(rows_of([(file.language, file.content)])).examples.to_pylist():
            assert violations_of(row, file.content, limits) == []
