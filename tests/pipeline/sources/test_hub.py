"""The Hub source against a real HTTP server on this machine: pinning, access, broken connections, nothing kept."""

import hashlib
import importlib.util
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.pipeline.sources import SHARD_BYTES, SourceError, SourceUnavailable, open_source
from stackfim.pipeline.sources.hub import HubSource, part_range
from stackfim.pipeline.sources.hub_failures import TRIES, HubPlace, resuming

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
TOKEN = "hf_" + "Secret" * 6


def load_hub_server() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hub_server", HERE / "hub_server.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["hub_server"] = module
    spec.loader.exec_module(module)
    return module


hub_server = load_hub_server()


@pytest.fixture(scope="module")
def hub() -> Iterator[Any]:
    with hub_server.running_hub() as running:
        yield running


class Reader:
    """A process that reads from the hub; see hub_reader.py."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "hub_reader.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={
                "PATH": os.environ.get("PATH", ""),
                "PYTHONPATH": str(ROOT),
                "HOME": str(folder),
                "TMPDIR": str(folder),
                "HF_HOME": str(folder / "home"),
                "HF_ENDPOINT": url,
            },
        )

    def ask(self, **command: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def log_in(self, token: str | None) -> None:
        self.ask(do="environment", variables={"HF_TOKEN": token})

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@pytest.fixture(scope="module")
def process(hub: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    reader = Reader(hub.url, tmp_path_factory.mktemp("reader"))
    yield reader
    reader.close()


@pytest.fixture
def reader(process: Reader, hub: Any) -> Reader:
    process.log_in(None)
    hub.faults.clear()
    hub.requests.clear()
    return process


def contents(count: int, size: int = 300, start: int = 0) -> list[str]:
    """Distinct texts that do not compress well."""
    return [
        "".join(hashlib.sha256(f"{row} {part}".encode()).hexdigest() for part in range(size // 64 + 1))
        for row in range(start, start + count)
    ]


def parquet(texts: list[str], row_group_rows: int, **extra: list[Any]) -> bytes:
    buffer = io.BytesIO()
    columns = {
        "content": texts,
        "lang": ["Python"] * len(texts),
        "max_stars_repo_name": ["owner/name"] * len(texts),
        "max_stars_repo_path": [f"file_{index}.py" for index in range(len(texts))],
        "max_stars_repo_licenses": [["MIT"]] * len(texts),
        "max_stars_count": [7] * len(texts),
        "alphanum_fraction": [0.5] * len(texts),
        **extra,
    }
    pq.write_table(pa.table(columns), buffer, row_group_size=row_group_rows)
    return buffer.getvalue()


def blob_id(text: str) -> str:
    data = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def read_all(reader: Reader, spec: str, limit: int | None = None) -> tuple[list[str], dict[str, Any]]:
    """Content ids of all shards, in order, and the answer to `shards`."""
    listed = reader.ask(do="shards", spec=spec, limit=limit)
    assert "error" not in listed, listed["message"]
    ids = []
    for _, locator, _, _ in listed["shards"]:
        answer = reader.ask(do="read", spec=spec, locator=locator)
        assert "error" not in answer, answer["message"]
        ids += [row["content_id"] for row in answer["rows"]]
    return ids, listed


def test_all_rows_of_all_files_come_once_and_in_order(hub: Any, reader: Reader) -> None:
    first, second = contents(50), contents(30, start=50)
    hub.datasets["org/plain"] = hub_server.Dataset(
        {"data/b [1] é.parquet": parquet(second, 10), "data/a.parquet": parquet(first, 7), "README.md": b"#"}
    )
    ids, listed = read_all(reader, "hf://datasets/org/plain")
    assert ids == [blob_id(text) for text in first + second]
    assert [shard[2] for shard in listed["shards"]] == [None, None], "row counts would need every footer"


def test_the_row_is_the_one_that_the_columns_describe(hub: Any, reader: Reader) -> None:
    text = contents(1)[0]
    hub.datasets["org/row"] = hub_server.Dataset({"a.parquet": parquet([text], 1)})
    listed = reader.ask(do="shards", spec="hf://datasets/org/row")
    answer = reader.ask(do="read", spec="hf://datasets/org/row", locator=listed["shards"][0][1])
    assert answer["rows"] == [
        {
            "language": "Python",
            "repository": "owner/name",
            "path": "file_0.py",
            "revision": "",
            "licenses": ["MIT"],
            "stars": 7,
            "forks": None,
            "source_id": blob_id(text),
            "content_id": blob_id(text),
        }
    ]


def test_the_revision_is_pinned_to_its_commit_in_identity_and_locators(hub: Any, reader: Reader) -> None:
    dataset = hub_server.Dataset({"a.parquet": parquet(contents(3), 3)}, branches=("main", "v1.2"))
    hub.datasets["org/pinned"] = dataset
    listed = reader.ask(do="shards", spec="hf://datasets/org/pinned@v1.2")
    assert listed["identity"] == {
        "kind": "hub",
        "dataset": "org/pinned",
        "subfolder": "",
        "revision": "v1.2",
        "commit": dataset.commit,
    }
    assert json.loads(listed["shards"][0][1])["commit"] == dataset.commit
    reader.ask(do="read", spec="hf://datasets/org/pinned@v1.2", locator=listed["shards"][0][1])
    assert all("v1.2" not in request.path for request in hub.requests[2:] if "resolve" in request.path)


def test_a_subfolder_or_a_file_of_it_is_read_alone(hub: Any, reader: Reader) -> None:
    python, go, extra = contents(4), contents(3, start=10), contents(2, start=20)
    files = {"data/python/0.parquet": python, "data/python-2/0.parquet": extra, "data/go/0.parquet": go}
    hub.datasets["org/folders"] = hub_server.Dataset({name: parquet(texts, 5) for name, texts in files.items()})
    for spec, texts in [("data/python", python), ("data/go/0.parquet", go), ("data", go + extra + python)]:
        ids, _ = read_all(reader, f"hf://datasets/org/folders/{spec}")
        assert ids == [blob_id(text) for text in texts], spec


def test_only_the_needed_columns_and_row_groups_are_fetched(hub: Any, reader: Reader) -> None:
    texts = contents(40, size=20_000)
    padding = contents(40, size=200_000, start=1_000)
    file = parquet(texts, 10, padding=padding)
    hub.datasets["org/wide"] = hub_server.Dataset({"a.parquet": file})
    ids, _ = read_all(reader, "hf://datasets/org/wide")
    assert len(ids) == 40
    fetched = 0
    for request in hub.requests:
        if request.range:
            first, last = request.range.removeprefix("bytes=").split("-")
            fetched += int(last) + 1 - int(first)
    assert fetched < len(file) / 3


def test_nothing_of_the_data_is_kept_on_disk(hub: Any, reader: Reader) -> None:
    hub.datasets["org/streamed"] = hub_server.Dataset({"a.parquet": parquet(contents(30, size=50_000), 10)})
    read_all(reader, "hf://datasets/org/streamed")
    kept = sum(path.stat().st_size for path in reader.folder.rglob("*") if path.is_file())
    assert kept < 10_000


def test_a_limit_reads_as_few_footers_as_it_needs_and_cuts_the_last_shard(hub: Any, reader: Reader) -> None:
    files = [contents(20, start=20 * index) for index in range(4)]
    hub.datasets["org/limited"] = hub_server.Dataset(
        {f"{index}.parquet": parquet(texts, 6) for index, texts in enumerate(files)}
    )
    ids, listed = read_all(reader, "hf://datasets/org/limited", limit=33)
    assert ids == [blob_id(text) for text in files[0] + files[1][:13]]
    assert [shard[2] for shard in listed["shards"]] == [20, 13]
    assert not any(request.path.endswith(("2.parquet", "3.parquet")) for request in hub.requests)


def test_large_files_become_parts_that_together_hold_every_row_once(hub: Any, reader: Reader) -> None:
    texts = contents(25)
    data = parquet(texts, 2)
    dataset = hub_server.Dataset({"a.parquet": data})
    hub.datasets["org/large"] = dataset
    listed = reader.ask(do="shards", spec="hf://datasets/org/large")
    locator = json.loads(listed["shards"][0][1])
    assert locator["parts"] == 1
    ids: list[str] = []
    for part in range(20):  # more parts than the 13 row groups: some are empty
        shard = json.dumps({**locator, "part": part, "parts": 20})
        answer = reader.ask(do="read", spec="hf://datasets/org/large", locator=shard)
        ids += [row["content_id"] for row in answer["rows"]]
    assert ids == [blob_id(text) for text in texts]


def test_a_file_of_several_shard_sizes_is_listed_in_as_many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    from stackfim.pipeline.sources import hub as hub_module

    source = HubSource("org/name", commit="0" * 40)
    file = hub_module._File("a.parquet", 3 * SHARD_BYTES + 1, "b" * 40)
    monkeypatch.setattr(HubSource, "_files", lambda self: [file])
    monkeypatch.setattr(HubSource, "_check_columns", lambda self, file: None)
    shards = source.shards()
    assert [json.loads(shard.locator)["part"] for shard in shards] == [0, 1, 2, 3]
    assert len({shard.locator for shard in shards}) == 4


def test_files_without_rows_and_empty_row_groups_do_no_harm(hub: Any, reader: Reader) -> None:
    filled = pq.read_table(io.BytesIO(parquet(contents(3), 3)))
    empty_groups, no_groups = io.BytesIO(), io.BytesIO()
    with pq.ParquetWriter(empty_groups, filled.schema) as writer:
        for table in (filled.slice(0, 0), filled, filled.slice(0, 0)):
            writer.write_table(table)
    with pq.ParquetWriter(no_groups, filled.schema):
        pass
    files = {"a.parquet": no_groups.getvalue(), "b.parquet": empty_groups.getvalue()}
    assert [pq.ParquetFile(io.BytesIO(data)).metadata.num_row_groups for data in files.values()] == [0, 3]
    hub.datasets["org/empty"] = hub_server.Dataset(files)
    for limit in (None, 2):
        ids, _ = read_all(reader, "hf://datasets/org/empty", limit=limit)
        assert ids == [blob_id(text) for text in contents(3)[:limit]]
    hub.datasets["org/no-rows"] = hub_server.Dataset({"a.parquet": no_groups.getvalue()})
    answer = reader.ask(do="shards", spec="hf://datasets/org/no-rows", limit=5)
    assert answer["error"] == "SourceError"


def test_columns_that_are_missing_or_mapped_wrongly_are_said_before_anything_is_read(hub: Any, reader: Reader) -> None:
    hub.datasets["org/columns"] = hub_server.Dataset({"a.parquet": parquet(contents(2), 2)})
    answer = reader.ask(do="shards", spec="hf://datasets/org/columns", columns={"path": "file_name"})
    assert answer["error"] == "SourceError"
    assert "file_name" in answer["message"]
    assert "org/columns" in answer["message"]


def test_a_mapped_column_is_read(hub: Any, reader: Reader) -> None:
    hub.datasets["org/mapped"] = hub_server.Dataset({"a.parquet": parquet(contents(2), 2, where=["x.py", "y.py"])})
    spec, columns = "hf://datasets/org/mapped", {"path": "where"}
    listed = reader.ask(do="shards", spec=spec, columns=columns)
    answer = reader.ask(do="read", spec=spec, columns=columns, locator=listed["shards"][0][1])
    assert [row["path"] for row in answer["rows"]] == ["x.py", "y.py"]


def test_a_row_without_content_is_a_rejection(hub: Any, reader: Reader) -> None:
    texts: list[Any] = [*contents(2), None]
    hub.datasets["org/null"] = hub_server.Dataset({"a.parquet": parquet(texts, 3)})
    listed = reader.ask(do="shards", spec="hf://datasets/org/null")
    answer = reader.ask(do="read", spec="hf://datasets/org/null", locator=listed["shards"][0][1])
    assert len(answer["rows"]) == 2
    assert [(r["stage"], r["reason"], r["path"]) for r in answer["rejections"]] == [
        ("read", "missing_content", "file_2.py")
    ]


# Access


def gated(hub: Any, name: str) -> str:
    hub.datasets[name] = hub_server.Dataset({"data/a.parquet": parquet(contents(12), 4)}, gated=True, token=TOKEN)
    return f"hf://datasets/{name}"


def test_a_gated_dataset_is_read_with_the_token_of_the_environment_and_the_token_is_nowhere_else(
    hub: Any, reader: Reader, tmp_path: Path
) -> None:
    spec = gated(hub, "org/gated")
    reader.log_in(TOKEN)
    listed = reader.ask(do="shards", spec=spec)
    assert "error" not in listed, listed["message"]
    assert TOKEN not in json.dumps(listed)
    assert TOKEN.encode() not in bytes.fromhex(listed["pickle"])
    hub.requests.clear()

    worker = Reader(
        hub.url, tmp_path
    )  # another process, which has the source pickled and the token from its environment
    try:
        refused = worker.ask(do="read", pickle=listed["pickle"], locator=listed["shards"][0][1])
        assert refused["error"] == "SourceError"
        worker.log_in(TOKEN)
        answer = worker.ask(do="read", pickle=listed["pickle"], locator=listed["shards"][0][1])
    finally:
        worker.close()
    assert [row["content_id"] for row in answer["rows"]] == [blob_id(text) for text in contents(12)]
    assert TOKEN not in json.dumps(answer)
    assert f"Bearer {TOKEN}" in {request.authorization for request in hub.requests}


def test_the_token_of_a_login_works_as_well(hub: Any, reader: Reader) -> None:
    spec = gated(hub, "org/gated-login")
    token_file = reader.folder / "home" / "token"
    token_file.parent.mkdir(exist_ok=True)
    token_file.write_text(TOKEN)
    try:
        ids, _ = read_all(reader, spec)
    finally:
        token_file.unlink()
    assert len(ids) == 12


@pytest.mark.parametrize(("token", "status"), [(None, "401"), ("hf_wrong" + "x" * 20, "403")])
def test_without_access_the_message_says_how_to_get_it(
    hub: Any, reader: Reader, token: str | None, status: str
) -> None:
    spec = gated(hub, f"org/gated-{status}")
    reader.log_in(token)
    answer = reader.ask(do="shards", spec=spec)
    assert answer["error"] == "SourceError"
    assert f"org/gated-{status}" in answer["message"]
    assert status in answer["message"]
    for advice in ("accept its terms", "hf auth login", "HF_TOKEN", f"/datasets/org/gated-{status}"):
        assert advice in answer["message"]
    assert answer["slept"] == [], "no access does not get better by waiting"
    if token:
        assert token not in json.dumps(answer), "neither the message, nor the traceback, nor the log"


@pytest.mark.parametrize("token", [None, TOKEN])
def test_a_dataset_that_is_not_there_or_private_is_named(hub: Any, reader: Reader, token: str | None) -> None:
    hub.datasets["org/private"] = hub_server.Dataset({}, private=True, token="another")
    reader.log_in(token)
    for name in ("org/missing", "org/private"):
        answer = reader.ask(do="shards", spec=f"hf://datasets/{name}")
        assert answer["error"] == "SourceError"
        assert f"dataset {name} was not found" in answer["message"]
        assert "HF_TOKEN" in answer["message"]
        assert TOKEN not in json.dumps(answer)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("hf://datasets/org/some@v9", "no revision 'v9'"),
        ("hf://datasets/org/some/data/rust", "no 'data/rust'"),
        ("hf://datasets/org/some/text", "no parquet file"),
        ("hf://datasets/org/some/data/none.parquet", "no parquet file"),
    ],
)
def test_a_missing_revision_or_subfolder_or_no_parquet_is_said(hub: Any, reader: Reader, spec: str, said: str) -> None:
    hub.datasets["org/some"] = hub_server.Dataset({"data/a.parquet": parquet(contents(1), 1), "text/a.txt": b"x"})
    answer = reader.ask(do="shards", spec=spec)
    assert answer["error"] == "SourceError"
    assert said in answer["message"]
    assert "org/some" in answer["message"]


def test_a_file_that_is_not_parquet_is_named(hub: Any, reader: Reader) -> None:
    hub.datasets["org/broken"] = hub_server.Dataset({"a.parquet": b"PAR1 but not really" * 20})
    answer = reader.ask(do="shards", spec="hf://datasets/org/broken")
    assert answer["error"] == "SourceError"
    assert "a.parquet" in answer["message"]
    assert "not a parquet file" in answer["message"]


# Faults


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/datasets/org/fault"), ("GET", "/tree/"), ("GET", "/resolve/")],
)
def test_one_503_does_no_harm(hub: Any, reader: Reader, method: str, path: str) -> None:
    name = f"org/fault{len(path)}"
    hub.datasets[name] = hub_server.Dataset({"a.parquet": parquet(contents(9), 3)})
    hub.faults.append(hub_server.Fault(method, path, status=503))
    ids, _ = read_all(reader, f"hf://datasets/{name}")
    assert ids == [blob_id(text) for text in contents(9)]
    assert hub.faults[0].times == 0


def test_a_429_waits_as_long_as_the_hub_asks(hub: Any, reader: Reader) -> None:
    hub.datasets["org/limits"] = hub_server.Dataset({"a.parquet": parquet(contents(2), 2)})
    hub.faults.append(hub_server.Fault("GET", "/api/datasets/org/limits", status=429, headers={"Retry-After": "17"}))
    answer = reader.ask(do="shards", spec="hf://datasets/org/limits")
    assert "error" not in answer
    assert 17 <= sum(answer["slept"]) < 20


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("times", [1, 8])
def test_a_connection_that_breaks_in_the_middle_of_a_body_loses_and_doubles_no_row(
    hub: Any, reader: Reader, after: int, times: int
) -> None:
    """Eight breaks in a row are more than the library's own tries: then the shard is opened again."""
    name = f"org/breaks-{after}-{times}"
    texts = contents(30, size=3_000)
    hub.datasets[name] = hub_server.Dataset({"a.parquet": parquet(texts, 10)})
    spec = f"hf://datasets/{name}"
    locator = reader.ask(do="shards", spec=spec)["shards"][0][1]
    hub.faults.append(hub_server.Fault("GET", "/resolve/", break_body=True, times=times, after=after))
    answer = reader.ask(do="read", spec=spec, locator=locator)
    assert hub.faults[0].times == 0, "the fault has happened"
    assert [row["content_id"] for row in answer["rows"]] == [blob_id(text) for text in texts]


def test_a_hub_that_stays_away_is_given_up_with_a_sentence(hub: Any, reader: Reader) -> None:
    hub.datasets["org/away"] = hub_server.Dataset({"a.parquet": parquet(contents(4), 2)})
    spec = "hf://datasets/org/away"
    reader.log_in(TOKEN)
    locator = reader.ask(do="shards", spec=spec)["shards"][0][1]
    for fault in (
        hub_server.Fault("GET", "/", status=502, times=10_000),
        hub_server.Fault("GET", "/", break_body=True, times=10_000),
    ):
        hub.faults[:] = [fault]
        answer = reader.ask(do="read", spec=spec, locator=locator)
        assert answer["error"] == "SourceUnavailable"
        assert "org/away" in answer["message"]
        assert f"gave up after {TRIES} tries" in answer["message"]
        assert TOKEN not in json.dumps(answer)
        assert 30 < sum(answer["slept"]) < 1_800


def test_access_that_ends_in_the_middle_of_a_run_is_an_error_at_once(hub: Any, reader: Reader) -> None:
    hub.datasets["org/revoked"] = hub_server.Dataset({"a.parquet": parquet(contents(4), 2)})
    spec = "hf://datasets/org/revoked"
    locator = reader.ask(do="shards", spec=spec)["shards"][0][1]
    hub.faults.append(hub_server.Fault("GET", "/resolve/", status=403, headers={"X-Error-Code": "GatedRepo"}, times=9))
    answer = reader.ask(do="read", spec=spec, locator=locator)
    assert answer["error"] == "SourceError"
    assert "HF_TOKEN" in answer["message"]


# Without a server


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("hf://datasets/org/name", ("org/name", None, "")),
        ("hf://datasets/org/name/", ("org/name", None, "")),
        ("hf://datasets/org/na.me-1@v1.0/data/python/", ("org/na.me-1", "v1.0", "data/python")),
        ("hf://datasets/org/name@refs/convert/parquet/default", ("org/name", "refs/convert/parquet", "default")),
        ("hf://datasets/org/name@refs%2Fpr%2F1", ("org/name", "refs/pr/1", "")),
        ("hf://datasets/org/name@feature%2Fx/data", ("org/name", "feature/x", "data")),
    ],
)
def test_addresses(spec: str, expected: tuple[str, str | None, str]) -> None:
    source = open_source(spec)
    assert isinstance(source, HubSource)
    assert (source.dataset, source.revision, source.subfolder) == expected


@pytest.mark.parametrize(
    "spec",
    [
        "hf://org/name",
        "hf://datasets/name",
        "hf://datasets/org/name@",
        "hf://datasets/org/name/a/../b",
        "hf://datasets/org/name?token=x",
        "hf:datasets/org/name",
        "hf://models/org/name",
    ],
)
def test_other_addresses_are_refused_with_the_expected_form(spec: str) -> None:
    with pytest.raises(SourceError, match="expected hf://datasets/ORG/NAME"):
        open_source(spec)


@given(st.integers(0, 200), st.integers(1, 50))
def test_parts_are_consecutive_and_cover_everything_once(count: int, parts: int) -> None:
    ranges = [part_range(count, part, parts) for part in range(parts)]
    assert [item for first, end in ranges for item in range(first, end)] == list(range(count))
    assert max(end - first for first, end in ranges) - min(end - first for first, end in ranges) <= 1


@given(st.lists(st.integers(0, 5), max_size=8), st.lists(st.integers(0, 12), max_size=12))
def test_resuming_gives_every_row_once_wherever_reading_breaks(batch_rows: list[int], breaks: list[int]) -> None:
    total = sum(batch_rows)
    pending = list(breaks)

    def open_batches() -> Iterator[pa.RecordBatch]:
        give = pending.pop(0) if pending else None  # batches until it breaks; None: it does not
        start = 0
        for index, rows in enumerate(batch_rows):
            if index == give:
                raise ConnectionResetError("broken")
            yield pa.record_batch({"n": list(range(start, start + rows))}, schema=pa.schema([("n", pa.int64())]))
            start += rows
        if give is not None and give >= len(batch_rows):
            raise TimeoutError("late")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stackfim.pipeline.sources.hub_failures.time.sleep", lambda seconds: None)
        patch.setattr("stackfim.pipeline.sources.hub_failures.TRIES", len(breaks) + 1)
        rows = [row for batch in resuming(open_batches, HubPlace("org/name")) for row in batch["n"].to_pylist()]
    assert rows == list(range(total))


def test_resuming_gives_up_after_tries_without_progress() -> None:
    waits: list[float] = []

    def open_batches() -> Iterator[pa.RecordBatch]:
        raise ConnectionResetError("broken")
        yield

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stackfim.pipeline.sources.hub_failures.time.sleep", waits.append)
        with pytest.raises(SourceUnavailable, match="gave up after 6 tries"):
            list(resuming(open_batches, HubPlace("org/name")))
    assert waits == [1, 2, 4, 8, 16], "exponential, the same every time"
