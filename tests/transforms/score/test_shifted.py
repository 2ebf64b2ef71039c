"""Ends one line too early or too late, of hand-made and of real rows."""

import pyarrow as pa
import pytest

from stackfim.model.ends import Row, earlier_end, later_end
from stackfim.transforms.score.shifted import MOST_ROWS, drawn_rows, shifted_end


def visible_lines(text: str) -> int:
    return sum(1 for line in text.split("\n") if line.strip())


@pytest.mark.parametrize(
    ("parts", "earlier", "later"),
    [
        # The line break is in the suffix: the middle ends at the line's last visible character, shifted or not.
        (("a", "b\n  c", "\n\n  d  \ne"), ("a", "b", "\n  c\n\n  d  \ne"), ("a", "b\n  c\n\n  d", "  \ne")),
        # The line break is the middle's.
        (("a", "b\n\nc\n", "\nd\ne"), ("a", "b\n", "\nc\n\nd\ne"), ("a", "b\n\nc\n\nd\n", "e")),
        (("a", "b\r\nc", "\r\nd\r\n"), ("a", "b", "\r\nc\r\nd\r\n"), ("a", "b\r\nc\r\nd", "\r\n")),
        (("a", "b", "\nc"), None, ("a", "b\nc", "")),
        (("a", "b\nc", ""), ("a", "b", "\nc"), None),
        (("a", "b", " \n \n"), None, None),
        # The rest of the cursor's own line is not a next line.
        (("a", "b", " c"), None, None),
    ],
)
def test_a_line_less_or_more(parts: Row, earlier: Row | None, later: Row | None) -> None:
    assert earlier_end(parts) == earlier
    assert later_end(parts) == later


def test_real_rows_keep_their_text_and_change_by_one_visible_line(examples: pa.RecordBatch) -> None:
    rows = [row for row in examples.to_pylist() if row["category"] in ("single_line", "multi_line")]
    shifted = 0
    for row in rows:
        if row["newline_owner"] == "none":
            continue
        parts = (row["prefix"], row["middle"], row["suffix"])
        for way, difference in ((earlier_end, -1), (later_end, 1)):
            found = way(parts)
            if found is None:
                continue
            shifted += 1
            assert "".join(found) == "".join(parts)
            assert found[0] == parts[0]
            assert visible_lines(found[1]) == visible_lines(parts[1]) + difference
            # It ends as the true one does: at a line's last visible character, or with its line break.
            assert found[1].endswith("\n") == parts[1].endswith("\n") or not found[2]
            assert found[1] == found[1].rstrip() or parts[1].endswith("\n")
        assert shifted_end(row["example_id"], parts, 0) in (earlier_end(parts), later_end(parts))
    assert shifted > 100


def test_the_drawn_way_is_both_ways_over_many_rows(examples: pa.RecordBatch) -> None:
    rows = [row for row in examples.to_pylist() if row["category"] == "multi_line"]
    ways = set()
    for row in rows:
        parts = (row["prefix"], row["middle"], row["suffix"])
        found = shifted_end(row["example_id"], parts, 0)
        if found is not None:
            ways.add(len(found[1]) > len(parts[1]))
    assert ways == {True, False}


def test_a_row_is_drawn_or_not_whatever_stands_beside_it(examples: pa.RecordBatch) -> None:
    ids = examples.column("example_id")
    whole = {ids[row].as_py() for row in drawn_rows(examples, 3)}
    parts = [examples.slice(start, 40) for start in range(0, examples.num_rows, 40)]
    drawn = {part.column("example_id")[row].as_py() for part in parts for row in drawn_rows(part, 3)}
    assert whole
    assert whole <= drawn
    assert drawn == whole or len(whole) == MOST_ROWS
    assert whole != {ids[row].as_py() for row in drawn_rows(examples, 4)}


def test_no_batch_gives_more_than_its_bound(examples: pa.RecordBatch) -> None:
    many = pa.concat_batches([examples] * 30)
    assert len(drawn_rows(many, 0)) == MOST_ROWS
