"""The parquet source: shards from footers, rows in order, on any file system; errors name the broken file."""

import json
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackfim.pipeline.sources import SourceError, SourceOptions, SourceUnavailable, open_source
from stackfim.pipeline.sources import parquet as parquet_module
from stackfim.pipeline.sources.parquet import ParquetSource
from stackfim.pipeline.sources.source import BATCH_BYTES, BATCH_ROWS
from stackfim.schemas.source import ROW, THE_STACK, git_blob_id


def table(start: int, count: int, size: int = 10) -> pa.Table:
    numbers = range(start, start + count)
    return pa.table(
        {
            "content": [f"{number}:".ljust(size, "x") for number in numbers],
            "lang": ["Python"] * count,
            "repository": [f"owner/{number % 3}" for number in numbers],
            "path": [f"{number}.py" for number in numbers],
            "licenses": [["MIT"]] * count,
        }
    )


def write(path: Path, start: int, count: int, row_group_rows: int = 10, size: int = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table(start, count, size), path, row_group_size=row_group_rows)
    return path


def paths_of(source: Any, limit: int | None = None) -> list[str]:
    """The paths of all rows, shard by shard; each shard has as many rows as it was listed with."""
    found = []
    for shard in source.shards(limit):
        rows = [path for batch in source.read(shard.locator) for path in batch.rows["path"].to_pylist()]
        assert len(rows) == shard.rows
        found += rows
    return found


def names(count: int) -> list[str]:
    return [f"{number}.py" for number in range(count)]


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_module, "SHARD_BYTES", 450)


def test_a_folder_is_read_at_any_depth_in_the_order_of_its_paths(tmp_path: Path) -> None:
    write(tmp_path / "b" / "c.parquet", 8, 7)
    write(tmp_path / "a.parquet", 0, 5)
    write(tmp_path / "b" / "a" / "x.parquet", 5, 3)
    assert paths_of(open_source(f"parquet:{tmp_path}")) == names(15)


def test_hidden_and_unfinished_files_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "kept.parquet", 0, 3)
    for name in (".hidden.parquet", "_temporary/0/part.parquet", ".cache/x.parquet", "part.parquet.tmp", "notes.txt"):
        write(tmp_path / name, 100, 3)
    assert paths_of(open_source(f"parquet:{tmp_path}")) == names(3)


def test_a_link_in_a_circle_does_not_read_files_twice(tmp_path: Path) -> None:
    write(tmp_path / "data" / "x.parquet", 0, 3)
    (tmp_path / "data" / "again").symlink_to(tmp_path / "data")
    assert paths_of(open_source(f"parquet:{tmp_path}")) == names(3)


@pytest.mark.parametrize("pattern", ["*/x-*.parquet", "**/x-?.parquet", "[ab]/x-[0-9].parquet", "*"])
def test_a_glob_is_read(tmp_path: Path, pattern: str) -> None:
    write(tmp_path / "a" / "x-1.parquet", 0, 4)
    write(tmp_path / "b" / "x-2.parquet", 4, 4)
    write(tmp_path / "_old" / "x-3.parquet", 8, 4)
    assert paths_of(open_source(f"parquet:{tmp_path}/{pattern}")) == names(8)


def test_one_file_is_read_whatever_its_name_and_brackets_are_no_glob_where_it_exists(tmp_path: Path) -> None:
    assert paths_of(open_source(f"parquet:{write(tmp_path / 'x [1].data', 0, 4)}")) == names(4)


@pytest.mark.usefixtures("small_shards")
def test_shards_are_runs_of_row_groups_up_to_the_size_and_hold_all_rows_once(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", 0, 95, row_group_rows=10)
    write(tmp_path / "b.parquet", 95, 5, row_group_rows=10)
    source = open_source(f"parquet:{tmp_path}")
    shards = source.shards()
    assert [shard.index for shard in shards] == list(range(len(shards)))
    assert len(shards) > 3
    assert all(shard.rows is not None and 0 < shard.rows <= 40 for shard in shards)
    assert all(shard.size_bytes is not None and shard.size_bytes <= 450 for shard in shards)
    assert len({shard.locator for shard in shards}) == len(shards)
    assert paths_of(source) == names(100)


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("limit", [1, 10, 29, 30, 31, 64, 99, 100, 1_000])
def test_a_limit_gives_the_first_rows_and_reads_no_footer_beyond(tmp_path: Path, limit: int) -> None:
    for index in range(5):
        write(tmp_path / f"{index}.parquet", 20 * index, 20)
    if limit < 80:
        (tmp_path / "4.parquet").write_bytes(b"not parquet, but not looked at either")
    assert paths_of(open_source(f"parquet:{tmp_path}"), limit) == names(min(limit, 100))


def test_large_rows_come_in_batches_within_the_limits(tmp_path: Path) -> None:
    write(tmp_path / "large.parquet", 0, 40, row_group_rows=40, size=1_500_000)
    write(tmp_path / "many.parquet", 40, 2_500, row_group_rows=700)
    source = open_source(f"parquet:{tmp_path}")
    seen = 0
    for shard in source.shards():
        for batch in source.read(shard.locator):
            size = sum(len(value.as_py()) for value in batch.rows["content"])
            assert batch.rows.num_rows <= BATCH_ROWS
            assert size <= BATCH_BYTES or batch.rows.num_rows == 1
            seen += batch.rows.num_rows
    assert seen == 2_540


def test_the_stack_s_29_columns_are_read(tmp_path: Path) -> None:
    row: dict[str, Any] = {field.name: None for field in THE_STACK}
    row |= {
        "hexsha": "not trusted",
        "lang": "C++",
        "content": "int x;\n",
        "max_stars_repo_name": "o/n",
        "max_stars_repo_path": "src/x.cc",
        "max_stars_repo_head_hexsha": "c" * 40,
        "max_stars_repo_licenses": ["MIT", "ISC"],
        "max_stars_count": 12,
    }
    pq.write_table(pa.Table.from_pylist([row], THE_STACK), tmp_path / "x.parquet")
    source = open_source(f"parquet:{tmp_path}")
    (batch,) = source.read(source.shards()[0].locator)
    assert batch.rows.schema.equals(ROW)
    blob_id = git_blob_id(b"int x;\n")
    assert batch.rows.to_pylist() == [
        {
            "content": b"int x;\n",
            "language": "C++",
            "repository": "o/n",
            "path": "src/x.cc",
            "revision": "c" * 40,
            "licenses": ["MIT", "ISC"],
            "stars": 12,
            "forks": None,
            "source_id": blob_id,
            "content_id": blob_id,
        }
    ]


def test_nested_license_lists_are_read(tmp_path: Path) -> None:
    nested = [{"list": [{"item": "MIT"}, {"item": "Apache-2.0"}]}, {"list": []}]
    pq.write_table(table(0, 2).set_column(4, "licenses", [nested]), tmp_path / "x.parquet")
    source = open_source(f"parquet:{tmp_path}")
    (batch,) = source.read(source.shards()[0].locator)
    assert batch.rows["licenses"].to_pylist() == [["MIT", "Apache-2.0"], []]


def test_columns_are_mapped_and_files_may_have_them_in_other_orders_and_types(tmp_path: Path) -> None:
    pq.write_table(
        table(0, 2).rename_columns(["content", "lang", "repository", "where", "licenses"]), tmp_path / "a.parquet"
    )
    other = table(2, 2).select(["path", "licenses", "content", "repository", "lang"])
    other = other.rename_columns(["where", "licenses", "content", "repository", "lang"])
    pq.write_table(other.set_column(2, "content", other["content"].cast(pa.large_binary())), tmp_path / "b.parquet")
    source = open_source(f"parquet:{tmp_path}", {"path": "where"})
    assert paths_of(pickle.loads(pickle.dumps(source))) == names(4)


def test_only_the_needed_columns_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(table(0, 2).append_column("unused", [["x", "y"]]), tmp_path / "x.parquet")
    requested: list[list[str]] = []
    real = pq.ParquetFile.iter_batches

    def spy(self: pq.ParquetFile, *args: Any, **kwargs: Any) -> Iterator[pa.RecordBatch]:
        requested.append(kwargs["columns"])
        yield from real(self, *args, **kwargs)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", spy)
    assert paths_of(open_source(f"parquet:{tmp_path}")) == names(2)
    assert requested == [["content", "lang", "repository", "path", "licenses"]]


def test_null_content_is_a_rejection_and_counts_as_a_row_that_was_read(tmp_path: Path) -> None:
    pq.write_table(table(0, 3).set_column(0, "content", [["a", None, "c"]]), tmp_path / "x.parquet")
    source = open_source(f"parquet:{tmp_path}")
    (shard,) = source.shards()
    (batch,) = source.read(shard.locator)
    assert shard.rows == 3
    assert batch.rows["path"].to_pylist() == ["0.py", "2.py"]
    assert batch.rejections["reason"].to_pylist() == ["missing_content"]


# File systems


@pytest.fixture
def memory() -> Iterator[Any]:
    filesystem = fsspec.filesystem("memory")
    yield filesystem
    filesystem.rm("/stackfim-test", recursive=True)


def put(filesystem: Any, path: str, start: int, count: int) -> None:
    with filesystem.open(path, "wb") as file:
        pq.write_table(table(start, count), file, row_group_size=10)


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("place", ["", "/**/*.parquet", "/data/a.parquet"])
def test_any_fsspec_address_is_read(memory: Any, place: str) -> None:
    put(memory, "/stackfim-test/data/a.parquet", 0, 55)
    if "a.parquet" not in place:
        put(memory, "/stackfim-test/data/deeper/b.parquet", 55, 5)
    source = open_source(f"parquet:memory://stackfim-test{place}")
    assert paths_of(source) == names(55 if "a.parquet" in place else 60)
    assert json.loads(source.shards()[0].locator)["file"].startswith("memory://")


def test_file_addresses_and_relative_paths_are_absolute_in_the_locator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "x.parquet", 0, 3)
    assert paths_of(open_source(f"parquet:file://{tmp_path}")) == names(3)
    monkeypatch.chdir(tmp_path)
    source = open_source("parquet:.")
    locator = source.shards()[0].locator
    monkeypatch.chdir("/")
    assert json.loads(locator)["file"] == str(file)
    assert sum(batch.rows.num_rows for batch in source.read(locator)) == 3


def test_the_locator_and_identity_change_with_the_file_and_only_then(tmp_path: Path, memory: Any) -> None:
    file = write(tmp_path / "x.parquet", 0, 3)
    local = open_source(f"parquet:{tmp_path}")
    put(memory, "/stackfim-test/x.parquet", 0, 3)
    remote = open_source("parquet:memory://stackfim-test")
    before = [(source.shards(), source.identity()) for source in (local, remote)]
    assert [(source.shards(), source.identity()) for source in (local, remote)] == before
    os.utime(file, ns=(1, 1))
    put(memory, "/stackfim-test/x.parquet", 1, 3)
    for source, (shards, identity) in zip((local, remote), before, strict=True):
        assert source.shards() != shards
        assert source.identity()["digest"] != identity["digest"]
        with pytest.raises(SourceError, match="changed after it was listed"):
            list(source.read(shards[0].locator))


# What goes wrong


def test_a_place_without_anything_to_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    pq.write_table(table(0, 0), tmp_path / "empty.parquet")
    (tmp_path / "folder").mkdir()
    for place, message in [
        (tmp_path / "missing", "does not exist"),
        (tmp_path / "folder", "no parquet file"),
        (tmp_path / "*.csv", "no parquet file"),
        (tmp_path / "empty.parquet", "without a row"),
    ]:
        with pytest.raises(SourceError, match=message) as raised:
            open_source(f"parquet:{place}").shards()
        assert str(place) in str(raised.value)


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "footer"])
def test_a_file_that_is_not_parquet_is_named_when_shards_are_listed(tmp_path: Path, damage: str) -> None:
    file = write(tmp_path / "bad.parquet", 0, 30)
    data = file.read_bytes()
    damaged = {
        "empty": b"",
        "text": b"content,lang\n" * 9,
        "cut": data[: len(data) // 2],
        "footer": data[:-40] + data[-8:],
    }
    file.write_bytes(damaged[damage])
    write(tmp_path / "good.parquet", 0, 3)
    with pytest.raises(SourceError, match="is not a parquet file that can be read") as raised:
        open_source(f"parquet:{tmp_path}").shards()
    assert str(file) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_damage_inside_a_file_is_named_when_it_is_read(tmp_path: Path) -> None:
    file = write(tmp_path / "bad.parquet", 0, 3_000, row_group_rows=1_000, size=200)
    data = bytearray(file.read_bytes())
    data[2_000:6_000] = b"\xff" * 4_000
    file.write_bytes(data)
    source = open_source(f"parquet:{tmp_path}")
    (shard,) = source.shards()
    with pytest.raises(SourceUnavailable, match="cannot be read to its end") as raised:
        list(source.read(shard.locator))
    assert str(file) in str(raised.value)


def test_a_file_that_is_gone_is_named_when_it_is_read(tmp_path: Path) -> None:
    file = write(tmp_path / "x.parquet", 0, 3)
    source = open_source(f"parquet:{tmp_path}")
    (shard,) = source.shards()
    file.unlink()
    with pytest.raises(SourceUnavailable, match=str(file)):
        list(source.read(shard.locator))


def test_a_file_without_the_columns_is_named_before_anything_is_read(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", 0, 3)
    pq.write_table(table(0, 3).drop_columns(["path"]), tmp_path / "b.parquet")
    with pytest.raises(SourceError, match="no column for path") as raised:
        open_source(f"parquet:{tmp_path}").shards()
    assert str(tmp_path / "b.parquet") in str(raised.value)
    with pytest.raises(SourceError, match="'nowhere'"):
        open_source(f"parquet:{tmp_path}", {"content": "nowhere"}).shards()


@pytest.mark.parametrize(
    "location",
    ["ftp://me:hunter2@host/data", "https://hunter2@host/x.parquet", "https://host/x.parquet?signature=hunter2"],
)
def test_a_location_with_a_secret_in_it_is_refused_without_repeating_it(location: str) -> None:
    with pytest.raises(SourceError, match="environment") as raised:
        ParquetSource(location).shards()
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("location", ["nosuch://bucket/data", "zip://x.parquet::file.zip"])
def test_an_unknown_kind_of_address_is_refused(location: str) -> None:
    with pytest.raises(SourceError, match="expected"):
        ParquetSource(location).shards()


# Hostile input


@pytest.mark.parametrize("place", ["{folder}", "{folder}/x.parquet", "{folder}/*.parquet"])
def test_a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for(place: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.parquet")
    with pytest.raises(
        SourceError, match=r"x\.parquet is a folder, a pipe, a socket or a device; expected a regular file"
    ):
        open_source(f"parquet:{place.format(folder=tmp_path)}").shards()


def test_a_value_that_is_stored_once_for_many_rows_is_not_decoded_for_all_of_them_at_once(tmp_path: Path) -> None:
    count, text = 300, "x = 1\n" * 170_000
    rows = table(0, count).set_column(0, "content", [[text] * count])
    pq.write_table(rows, tmp_path / "x.parquet")
    before = pa.total_allocated_bytes()
    source = open_source(f"parquet:{tmp_path}")
    (shard,) = source.shards()
    read = 0
    for batch in source.read(shard.locator):
        read += batch.rows.num_rows
        assert batch.rows.column("content").nbytes <= BATCH_BYTES + 4 * (batch.rows.num_rows + 1)
        assert pa.total_allocated_bytes() - before < 6 * BATCH_BYTES
    assert read == count


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("path", "p" * 4_000_000),
        ("lang", "l" * 4_000_000),
        ("licenses", ["MIT"] * 100_000),
        ("licenses", ["M" * 500_000]),
    ],
    ids=["path", "lang", "licenses", "license"],
)
@pytest.mark.parametrize("is_dictionary", [False, True])
def test_rows_with_more_than_a_column_may_hold_are_rejected_within_bounds(
    column: str, value: Any, is_dictionary: bool, tmp_path: Path
) -> None:
    values = pa.array([value] * 20)
    stored = values.dictionary_encode() if is_dictionary and column != "licenses" else values
    rows = table(0, 20)
    rows = rows.set_column(rows.column_names.index(column), column, stored)
    with pq.ParquetWriter(tmp_path / "x.parquet", rows.schema) as writer:
        for _ in range(30):
            writer.write_table(rows)
    del values, stored, rows
    before = pa.total_allocated_bytes()
    source = open_source(f"parquet:{tmp_path}")
    reasons: list[str] = []
    for shard in source.shards():
        for batch in source.read(shard.locator):
            assert batch.rows.num_rows == 0
            assert pa.total_allocated_bytes() - before < 600 << 20
            reasons += batch.rejections["reason"].to_pylist()
    assert reasons == ["text_too_long"] * 600


@pytest.mark.parametrize(
    "stars",
    [pa.array([1e300, 7.0, float("nan")]), pa.array([2**63, 7, 2**64 - 1], pa.uint64()), pa.array([-1e19, 7.4, None])],
)
def test_counts_that_do_not_fit_are_null(stars: pa.Array, tmp_path: Path) -> None:
    pq.write_table(table(0, 3).append_column("stars", stars), tmp_path / "x.parquet")
    source = open_source(f"parquet:{tmp_path}")
    (batch,) = source.read(source.shards()[0].locator)
    assert batch.rows["stars"].to_pylist() == [None, 7, None]


# Columns that there are not


def test_the_language_comes_from_the_path_where_there_is_no_column_of_it(tmp_path: Path) -> None:
    rows = pa.table(
        {
            "max_stars_repo_path": ["a/b.py", "run", "what.xyz"],
            "max_stars_repo_name": ["o/r"] * 3,
            "max_stars_count": [1, 2, 3],
            "id": ["1", "2", "3"],
            "content": ["x = 1", "#!/bin/sh\n", "?"],
        }
    )
    pq.write_table(rows, tmp_path / "x.parquet")
    with pytest.raises(SourceError, match=r"no column for licenses;.*allow_missing_licenses = true"):
        open_source(f"parquet:{tmp_path}").shards()
    source = open_source(f"parquet:{tmp_path}", options=SourceOptions(needs_licenses=False))
    (batch,) = source.read(source.shards()[0].locator)
    assert batch.rows["language"].to_pylist() == ["Python", "Shell", ""]
    assert batch.rows["licenses"].to_pylist() == [[], [], []]


@pytest.mark.parametrize(
    ("folder", "columns", "column", "expected"),
    [
        ("lang=Python", {}, "language", "Python"),
        ("lang=C%2B%2B/x=1", {}, "language", "C++"),
        ("sprache=Go", {"language": "sprache"}, "language", "Go"),
        ("lang=__HIVE_DEFAULT_PARTITION__", {}, "language", "Ruby"),
        ("plain", {"language": "=Rust"}, "language", "Rust"),
        ("lang=Go", {"language": "=Rust"}, "language", "Rust"),
        ("license=MIT", {}, "licenses", ["MIT"]),
        ("plain", {"licenses": "=MIT OR Apache-2.0"}, "licenses", ["MIT OR Apache-2.0"]),
        ("plain", {"repository": "=us/all"}, "repository", "us/all"),
    ],
)
def test_folders_and_constants_give_what_no_column_gives(
    folder: str, columns: dict[str, str], column: str, expected: Any, tmp_path: Path
) -> None:
    given = {"content": ["a = 1"], "path": ["a.rb"], "repository": ["o/r"], "licenses": [["ISC"]]}
    if column == "licenses":
        del given["licenses"]
    (tmp_path / folder).mkdir(parents=True)
    pq.write_table(pa.table(given), tmp_path / folder / "x.parquet")
    source = open_source(f"parquet:{tmp_path}", columns)
    (batch,) = source.read(source.shards()[0].locator)
    assert batch.rows[column].to_pylist() == [expected]


def test_a_column_of_the_file_counts_more_than_its_folder(tmp_path: Path) -> None:
    write(tmp_path / "lang=Go/x.parquet", 0, 1)
    source = open_source(f"parquet:{tmp_path}")
    (batch,) = source.read(source.shards()[0].locator)
    assert batch.rows["language"].to_pylist() == ["Python"]


def test_the_folder_that_is_written_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / "x.parquet", 0, 3)
    write(tmp_path / "out/data/train-0.parquet", 3, 3)
    assert paths_of(
        open_source(f"parquet:{tmp_path}", options=SourceOptions(leave_out=str(tmp_path / "out")))
    ) == names(3)


def test_a_drawn_limit_is_spread_over_the_files(tmp_path: Path, small_shards: None) -> None:
    for number in range(40):
        write(tmp_path / f"{number:02}.parquet", number * 10, 10)
    source = open_source(f"parquet:{tmp_path}")
    shards = source.shards(32, seed=1)
    files = [json.loads(shard.locator)["file"] for shard in shards]
    assert [shard.rows for shard in shards] == [2] * 16
    assert files == sorted(files)
    assert len(set(files)) == 16
    assert source.shards(32, seed=1) == shards != source.shards(32, seed=2)
