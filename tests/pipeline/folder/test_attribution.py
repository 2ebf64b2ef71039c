"""ATTRIBUTION.parquet says whose code a data set was made from, and agrees with its rows."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.attribution import (
    Origin,
    Use,
    read_attribution,
    repository_urls,
    uses_of,
    write_attribution,
)
from stackfim.pipeline.folder.storage import Storage
from stackfim.pipeline.inspect.verify import attribution_violations
from stackfim.schemas.attribution import ATTRIBUTION
from stackfim.schemas.example import EXAMPLE

COLUMNS = ["repository", "revision", "licenses", "path", "content_id"]
SourceRow = tuple[str, str, list[str], str, str]
"""The values of COLUMNS."""
sources = st.tuples(
    st.sampled_from(["a/x", "a/y", "b", "é/z"]),
    st.sampled_from(["", "1", "2"]),
    st.lists(st.sampled_from(["MIT", "ISC"]), max_size=2),
    st.sampled_from(["p.py", "q.py"]),
    st.sampled_from(["0" * 40, "1" * 40]),
)


def shard(folder: Path, name: str, rows: list[SourceRow]) -> str:
    """Examples with nothing but where they are from."""
    path = folder / "data" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([EXAMPLE.field(column) for column in COLUMNS])
    pq.write_table(pa.Table.from_pylist([dict(zip(COLUMNS, row, strict=True)) for row in rows], schema=schema), path)
    return f"data/{name}"


@given(shards=st.lists(st.lists(sources, max_size=12), min_size=1, max_size=4), max_held=st.integers(0, 30))
def test_every_origin_is_counted_once_in_order_however_little_memory_there_is(
    shards: list[list[SourceRow]], max_held: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    storage = Storage(str(folder))
    # A file's examples are in one shard: its number stands for other files.
    numbered = [[(*row[:3], f"{number}/{row[3]}", row[4]) for row in rows] for number, rows in enumerate(shards)]
    names = [shard(folder, f"{number}.parquet", rows) for number, rows in enumerate(numbered)]
    found = list(uses_of(storage, names, storage, max_held))
    rows = Counter((row[0], row[1], tuple(row[2])) for part in numbered for row in part)
    files = Counter(
        file[:3] for file in {(row[0], row[1], tuple(row[2]), *row[3:]) for part in numbered for row in part}
    )
    assert [(tuple(use.origin), use.files, use.rows) for use in found] == [
        (origin, files[origin], rows[origin]) for origin in sorted(rows)
    ]


def test_the_bytes_do_not_depend_on_the_memory(tmp_path: Path) -> None:
    rows = [(f"o/r{number % 50:02d}", "", ["MIT"], f"{number}.py", "0" * 40) for number in range(400)]
    storage = Storage(str(tmp_path))
    shards = [shard(tmp_path, f"{number}.parquet", rows[number::4]) for number in range(4)]
    records = [write_attribution(storage, shards, lambda name: None, max_held=held) for held in (1_000, 10)]
    assert records[0] == records[1]
    assert pq.read_schema(tmp_path / paths.ATTRIBUTION).equals(ATTRIBUTION)
    assert sum(use.rows for use in read_attribution(storage)) == 400
    assert not list(tmp_path.glob("work/attribution/*"))


def test_a_run_leaves_what_adds_up_to_its_counts(built: Path) -> None:
    uses = list(read_attribution(Storage(str(built))))
    counts = json.loads((built / "manifest.json").read_text())["counts"]
    assert sum(use.rows for use in uses) == counts["examples"]
    assert sum(use.files for use in uses) == counts["files_with_examples"]
    assert {use.origin.licenses for use in uses} == {("MIT",)}
    assert len(uses) > 3


def test_addresses_are_known_for_the_stack_and_where_a_pattern_says_so() -> None:
    assert repository_urls({"dataset": "bigcode/the-stack-dedup"}, None)("o/r") == "https://github.com/o/r"
    assert repository_urls({"kind": "parquet"}, None)("o/r") is None
    assert repository_urls({"kind": "parquet"}, "https://git.example/{repository}")("o/r") == "https://git.example/o/r"


@pytest.mark.parametrize("spoiled", ["rows", "licenses", "missing", "doubled", "absent"])
def test_verify_tells_where_the_file_and_the_rows_differ(spoiled: str, built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "spoiled"
    shutil.copytree(built, folder)
    storage, path = Storage(str(folder)), folder / paths.ATTRIBUTION
    assert list(attribution_violations(storage, storage.files("data"))) == []
    rows = pq.read_table(path).to_pylist()
    name = rows[1]["repository"]
    if spoiled == "rows":
        rows[1]["rows"] += 1
    elif spoiled == "licenses":
        rows[1]["licenses"] = ["ISC"]
    elif spoiled == "missing":
        del rows[1]
    else:
        rows.insert(1, rows[1])
    pq.write_table(pa.Table.from_pylist(rows, schema=ATTRIBUTION), path)
    if spoiled == "absent":
        path.unlink()
    found = list(attribution_violations(storage, storage.files("data")))
    assert {violation.example_id for violation in found} == {paths.ATTRIBUTION if spoiled == "absent" else name}


def test_a_use_is_what_it_says(tmp_path: Path) -> None:
    path = shard(tmp_path, "0.parquet", [("o/r", "1", ["MIT"], "a.py", "0" * 40)] * 3)
    storage = Storage(str(tmp_path))
    assert list(uses_of(storage, [path], storage)) == [Use(Origin("o/r", "1", ("MIT",)), 1, 3)]
