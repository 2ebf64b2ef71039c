"""Which places of a file become examples: a function of content, slot and seed, close to the weights over many files."""

import sysconfig
from collections import Counter
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stackfim.schemas.example import EMPTY, MULTI_LINE, RANDOM_SPAN, SINGLE_LINE
from stackfim.transforms.draws import Draws
from stackfim.transforms.lines import Lines
from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.kinds import KIND_BY_NAME
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.sampling import MAX_TRIES, _drawn_lines, draw_weights
from stackfim.transforms.split.split_settings import KINDS, SplitSettings
from tests.fixture_types import RowsOf, SourceFile

# More slots than by default, so that a few files give many examples.
DENSE = SplitSettings(max_slots=40, lines_per_slot=4)


def split(rows: pa.RecordBatch, settings: SplitSettings) -> list[dict[str, Any]]:
    examples: list[dict[str, Any]] = Splitter(settings, "0.1.0").split(rows).examples.to_pylist()
    return examples


@pytest.fixture(scope="module")
def library(rows_of: RowsOf) -> list[dict[str, Any]]:
    """Examples of the modules of the standard library, with the default settings."""
    files = [path.read_bytes() for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))]
    assert len(files) > 100
    return split(rows_of(("Python", content) for content in files), SplitSettings())


def by_file(examples: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    files: dict[str, list[dict[str, Any]]] = {}
    for row in examples:
        files.setdefault(row["content_id"], []).append(row)
    return files


def test_the_same_input_gives_the_same_rows(rows_of: RowsOf, sources: tuple[SourceFile, ...]) -> None:
    rows = rows_of((file.language, file.content) for file in sources)
    assert split(rows, DENSE) == split(rows, DENSE)


def test_rows_do_not_depend_on_batches_or_their_order(rows_of: RowsOf, sources: tuple[SourceFile, ...]) -> None:
    rows = rows_of((file.language, file.content) for file in sources)
    together = split(rows, DENSE)
    splitter = Splitter(DENSE, "0.1.0")
    apart = [splitter.split(rows.slice(index, 1)).examples.to_pylist() for index in reversed(range(rows.num_rows))]
    assert together == [row for part in reversed(apart) for row in part]


def test_rows_do_not_depend_on_what_a_parser_parsed_before(rows_of: RowsOf, sources: tuple[SourceFile, ...]) -> None:
    file = sources[0]
    splitter = Splitter(DENSE, "0.1.0")
    first = splitter.split(rows_of([(file.language, file.content)])).examples
    splitter.split(rows_of([(file.language, b"-->" * 3_000), (file.language, file.content[:500])]))
    assert splitter.split(rows_of([(file.language, file.content)])).examples.equals(first)


def test_another_seed_gives_other_places(rows_of: RowsOf, sources: tuple[SourceFile, ...]) -> None:
    rows = rows_of((file.language, file.content) for file in sources)
    places = [
        {(row["content_id"], row["start_byte"], row["end_byte"]) for row in split(rows, replace(DENSE, seed=seed))}
        for seed in (0, 1)
    ]
    assert len(places[0] & places[1]) < 0.6 * len(places[0])


def test_other_content_gives_other_places(rows_of: RowsOf, sources: tuple[SourceFile, ...]) -> None:
    """A change at the end of a file makes another content, so the draws differ at its head too."""
    file = next(file for file in sources if file.language == "Go")
    changed = file.content + b"\nvar last = 1\n"
    settings = replace(DENSE, max_slots=10)
    one, other = (
        {(row["start_byte"], row["end_byte"]) for row in split(rows_of([(file.language, content)]), settings)}
        for content in (file.content, changed)
    )
    assert one != other


def test_slots_are_by_the_length_of_the_file(rows_of: RowsOf, sources: tuple[SourceFile, ...]) -> None:
    for file in sources:
        lines = len(Lines(file.content))
        for most, per_slot in ((8, 40), (3, 10), (100, 7)):
            settings = SplitSettings(max_slots=most, lines_per_slot=per_slot)
            found = split(rows_of([(file.language, file.content)]), settings)
            pairs = sum(row["kind"] == "accept_then_stop" for row in found)
            assert 0 < len(found) - pairs <= min(most, ceil(lines / per_slot))


def test_no_place_is_taken_twice(
    rows_of: RowsOf, sources: tuple[SourceFile, ...], library: list[dict[str, Any]]
) -> None:
    rows = rows_of((file.language, file.content) for file in sources)
    for examples in by_file(library + split(rows, DENSE)).values():
        places = [(row["start_byte"], row["end_byte"]) for row in examples]
        assert len(set(places)) == len(places)


def test_no_middle_is_taken_twice_with_and_without_its_line_break(
    rows_of: RowsOf, sources: tuple[SourceFile, ...]
) -> None:
    rows = rows_of((file.language, file.content) for file in sources)
    for examples in by_file(split(rows, DENSE)).values():
        places = [(row["start_byte"], row["kind"], row["middle"].rstrip()) for row in examples if row["middle"]]
        assert len(set(places)) == len(places)


def test_example_ids_are_unique(
    rows_of: RowsOf, sources: tuple[SourceFile, ...], library: list[dict[str, Any]]
) -> None:
    rows = rows_of((file.language, file.content) for file in sources)
    several = [row for seed in range(3) for row in split(rows, replace(DENSE, seed=seed))]
    places = {
        (row["content_id"], row["kind"], row["start_byte"], row["end_byte"], str(row["edits"])) for row in several
    }
    assert len({row["example_id"] for row in several}) == len(places)
    assert len({row["example_id"] for row in library}) == len(library)
    alone = [row for row in library if row["kind"] != "accept_then_stop"]
    assert all(row["group_id"] == row["example_id"] for row in alone)


def test_the_mix_is_close_to_the_weights(library: list[dict[str, Any]]) -> None:
    settings = SplitSettings()
    categories = Counter(row["category"] for row in library)
    weights = settings.category_weights
    for category, weight in weights.items():
        assert categories[category] / len(library) == pytest.approx(weight / sum(weights.values()), abs=0.03)
    for category, kinds in KINDS.items():
        found = Counter(row["kind"] for row in library if row["category"] == category)
        total = sum(settings.kind_weights[kind] for kind in kinds)
        for kind in kinds:
            assert found[kind] / categories[category] == pytest.approx(settings.kind_weights[kind] / total, abs=0.07)


@pytest.mark.parametrize("category", [EMPTY, SINGLE_LINE, MULTI_LINE, RANDOM_SPAN])
def test_a_category_without_weight_is_never_drawn(
    rows_of: RowsOf, sources: tuple[SourceFile, ...], category: str
) -> None:
    weights = {**SplitSettings().category_weights, category: 0.0}
    rows = rows_of((file.language, file.content) for file in sources)
    found = Counter(row["category"] for row in split(rows, replace(DENSE, category_weights=weights)))
    assert set(found) == set(KINDS) - {category}


@pytest.mark.parametrize(
    ("category", "kind"),
    [(category, kind) for category, kinds in KINDS.items() for kind in kinds if KIND_BY_NAME[kind].find],
)
def test_one_kind_alone_can_be_requested(
    rows_of: RowsOf, sources: tuple[SourceFile, ...], category: str, kind: str
) -> None:
    settings = replace(DENSE, category_weights={category: 1.0}, kind_weights={kind: 3.0})
    rows = rows_of((file.language, file.content) for file in sources)
    assert {row["kind"] for row in split(rows, settings)} == {kind}


def test_a_pair_needs_a_partner(rows_of: RowsOf, sources: tuple[SourceFile, ...]) -> None:
    """One half is silence, the other has a middle: without SINGLE_LINE and MULTI_LINE there is no pair."""
    kinds = {"accept_then_stop": 1.0, "token_to_eol": 1.0}
    rows = rows_of((file.language, file.content) for file in sources)
    alone = replace(DENSE, category_weights={EMPTY: 1.0}, kind_weights=kinds)
    assert split(rows, alone) == []
    both = split(rows, replace(alone, category_weights={EMPTY: 1.0, SINGLE_LINE: 1.0}))
    found = Counter(row["kind"] for row in both)
    assert set(found) == set(kinds)
    assert found["accept_then_stop"] / found.total() == pytest.approx(0.5, abs=0.05)


def test_the_halves_of_a_pair_have_one_context_and_one_group(library: list[dict[str, Any]]) -> None:
    by_id = {row["example_id"]: row for row in library}
    silences = [row for row in library if row["kind"] == "accept_then_stop"]
    assert len(silences) > 20
    assert len({row["group_id"] for row in silences}) == len(silences)
    for silence in silences:
        partner = by_id[silence["group_id"]]
        assert partner["category"] in (SINGLE_LINE, MULTI_LINE)
        assert silence["prefix"] == partner["prefix"] + partner["middle"]
        assert (silence["middle"], silence["suffix"]) == ("", partner["suffix"])
        for name in ("content_id", "context_start_byte", "context_end_byte", "newline_owner"):
            assert silence[name] == partner[name]
        assert silence["start_byte"] == silence["end_byte"] == partner["end_byte"]


def test_weights_of_draws_compensate_for_partners() -> None:
    """Drawn with them, and with one more partner for each pair, the categories come out as requested."""
    settings = SplitSettings()
    weights = draw_weights(settings)
    total = sum(weights.values())
    share = {category: weight / total for category, weight in weights.items()}
    pairs = share[EMPTY] * 0.3
    partners = share[SINGLE_LINE] + share[MULTI_LINE]
    requested = settings.category_weights
    for category in KINDS:
        more = pairs * share[category] / partners if category in (SINGLE_LINE, MULTI_LINE) else 0.0
        assert (share[category] + more) / (1 + pairs) == pytest.approx(requested[category] / 100)


def test_data_and_markup_give_single_lines_and_spans(rows_of: RowsOf) -> None:
    """There no tree proves that silence is right, or where several lines stop."""
    items = ",\n".join(f'  {{"name": "item {number}", "price": {number * 7}}}' for number in range(60))
    rows = rows_of([("JSON", f"[\n{items}\n]\n".encode())])
    found = Counter(row["category"] for row in split(rows, DENSE))
    assert found
    assert set(found) <= {SINGLE_LINE, RANDOM_SPAN}


def test_caps_are_kept(library: list[dict[str, Any]]) -> None:
    limits = SplitSettings().limits
    middles = [row["middle"].rstrip("\r\n") for row in library if row["category"] == MULTI_LINE]
    assert max(middle.count("\n") + 1 for middle in middles) <= limits.max_lines
    assert max(map(len, middles)) <= limits.max_chars
    assert all(row["middle"].count("\n") == 0 for row in library if row["category"] == SINGLE_LINE)
    assert all(row["middle"] == "" for row in library if row["category"] == EMPTY)


def test_short_middles_dominate(library: list[dict[str, Any]]) -> None:
    lines = sorted(row["lines"] for row in library if row["category"] == MULTI_LINE)
    assert 3 <= lines[len(lines) // 2] <= 7


def test_a_fifth_of_the_multi_line_middles_keep_their_line_break(library: list[dict[str, Any]]) -> None:
    owners = Counter(
        row["newline_owner"] for row in library if row["category"] == MULTI_LINE and row["stop_reason"] != "eof"
    )
    assert owners["middle"] / owners.total() == pytest.approx(MultiLineLimits().newline_in_middle_share, abs=0.06)


def test_imports_and_punctuation_stay_below_their_shares(library: list[dict[str, Any]]) -> None:
    """At most 5% and 2% of the mix."""
    imports = sum(row["node_type"].startswith(("import", "future_import")) for row in library if row["middle"])
    assert imports / len(library) < 0.05
    punctuation = sum(not any(map(str.isalnum, row["middle"])) for row in library if row["middle"])
    assert punctuation / len(library) < 0.02


def test_refusals_are_counted_by_reason(rows_of: RowsOf) -> None:
    result = Splitter(SplitSettings(), "0").split(rows_of([("Python", b"# only\n# comments\n")]))
    assert result.examples.num_rows == 0
    assert result.refusals["no_statement_start"] > 0
    (rejection,) = result.rejections.to_pylist()
    assert (rejection["stage"], rejection["reason"]) == ("split", "no_site")
    assert "no_statement_start" in rejection["detail"]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 32, 33, 100, 5_000])
def test_lines_are_tried_in_an_order_without_repeats(count: int) -> None:
    for number in range(20):
        tried = list(_drawn_lines(count, Draws("rows", number)))
        assert len(tried) == min(count, MAX_TRIES) == len(set(tried))
        assert set(tried) <= set(range(count))


def test_settings_survive_json() -> None:
    settings = replace(DENSE, seed=7, limits=MultiLineLimits(3, 4, 0.5), category_weights={EMPTY: 1.0})
    assert SplitSettings.from_json(settings.to_json()) == settings
    assert SplitSettings.from_json(SplitSettings().to_json()) == SplitSettings()
