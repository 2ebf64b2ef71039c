"""`hf://datasets/ORG/NAME[@REVISION][/SUBFOLDER]`: parquet files of a dataset on the Hugging Face Hub, streamed.

Files are read by `datasets` in streaming mode, only the columns and row groups that a shard needs, and never kept on
disk. Access to gated and private datasets comes from HF_TOKEN or `hf auth login`, which the libraries look up in the
process that sends a request: a source, its identity and its locators hold no token. HF_ENDPOINT selects another Hub.
"""

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from stackfim.pipeline.sources.hub_failures import HubPlace, resuming, retrying
from stackfim.pipeline.sources.row_limit import limited
from stackfim.pipeline.sources.rows import checked_columns, first_rows, needed_columns, source_batches
from stackfim.pipeline.sources.source import BATCH_ROWS, SHARD_BYTES, Shard, SourceBatch, SourceError

_SPEC = re.compile(
    r"hf://datasets/(?P<dataset>[\w.-]+/[\w.-]+)"
    r"(?:@(?P<revision>refs/(?:pr|convert)/[^/@]+|[^/@]+))?"
    r"(?:/(?P<subfolder>[^?#]*))?",
    re.ASCII,
)
_EXPECTED = "hf://datasets/ORG/NAME[@REVISION][/SUBFOLDER]"

# Arrow already merges its reads into large ranges; a larger block would only add bytes that nobody reads.
_BLOCK_BYTES = 1 << 16
_REQUEST_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class _File:
    path: str
    size_bytes: int
    blob_id: str


@dataclass
class HubSource:
    """A dataset on the Hub; see stackfim.pipeline.sources.source.Source. Made by `from_spec`.

    `revision` is a branch, a tag or a commit, None for the default branch; the commit that it points to is looked up once
    and then pinned. `columns` maps columns of stackfim.schemas.source.ROW to the dataset's own.
    """

    dataset: str
    revision: str | None = None
    subfolder: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    commit: str | None = None
    needs_licenses: bool = True

    @classmethod
    def from_spec(
        cls, spec: str, columns: Mapping[str, str] | None = None, *, needs_licenses: bool = True
    ) -> "HubSource":
        """The source that an address names. Raises SourceError for an address of another form."""
        match = _SPEC.fullmatch(spec)
        subfolder = (match["subfolder"] or "").strip("/") if match else ""
        if match is None or any(part in ("", ".", "..") for part in subfolder.split("/") if subfolder):
            raise SourceError(f"{spec!r} is not the address of a dataset; expected {_EXPECTED}")
        revision = unquote(match["revision"]) if match["revision"] else None
        return cls(match["dataset"], revision, subfolder, dict(columns or {}), needs_licenses=needs_licenses)

    def identity(self) -> dict[str, Any]:
        """Dataset, subfolder, the requested revision and the commit that it was pinned to."""
        return {
            "kind": "hub",
            "dataset": self.dataset,
            "subfolder": self.subfolder,
            "revision": self.revision,
            "commit": self._pinned_commit(),
        }

    def shards(self, limit: int | None = None, seed: int | None = None) -> list[Shard]:
        """Parts of about SHARD_BYTES (of the files as stored), file by file in the order of their paths.

        The columns of the first file are checked. Other footers are read only for a `limit`, and only of the files
        that hold its rows; without one, the number of rows is not known. Raises SourceError without access,
        without a parquet file or without the columns, SourceUnavailable when the Hub does not answer.
        """
        files = self._files()
        self._check_columns(files[0])
        parts = [max(1, -(-file.size_bytes // SHARD_BYTES)) for file in files]
        if limit is None:
            return [
                self._shard(index, files[file], part, parts[file], None)
                for index, (file, part) in enumerate(
                    (file, part) for file in range(len(files)) for part in range(parts[file])
                )
            ]
        names = [file.path for file in files]
        wanted = limited(names, lambda file: self._part_rows(files[file], parts[file]), limit, seed)
        if not wanted:
            raise SourceError(f"{self._place()}: no row in {len(files)} parquet files; expected at least one")
        return [
            self._shard(index, files[taken.file], taken.part, parts[taken.file], taken.rows)
            for index, taken in enumerate(wanted)
        ]

    def read(self, locator: str) -> Iterator[SourceBatch]:
        """The rows of a shard, in order, each once however often the connection breaks.

        Memory grows with the largest row group: Arrow's streaming reader decodes one at a time. Raises
        SourceUnavailable when the Hub stops answering, SourceError without access or for a file that is not parquet.
        """
        shard = json.loads(locator)
        place = HubPlace(shard["dataset"], shard["commit"], shard["file"])
        with tempfile.TemporaryDirectory(prefix="stackfim-hub-") as lock_folder:
            resolved = retrying(lambda: self._resolve_columns(place, lock_folder), place)
            stream = retrying(lambda: _stream(place, lock_folder, needed_columns(resolved)).reshard(), place)
            first, end = part_range(stream.num_shards, shard["part"], shard["parts"])
            left = shard["rows"]
            for row_group in range(first, end):
                batches = resuming(partial(_row_group_batches, stream, row_group), place)
                for batch in batches if left is None else first_rows(batches, left):
                    left = None if left is None else left - batch.num_rows
                    yield from source_batches(batch, resolved)
                if left == 0:
                    return

    def _place(self) -> HubPlace:
        return HubPlace(self.dataset, self.revision or "", self.subfolder)

    def _pinned_commit(self) -> str:
        if self.commit is None:
            from huggingface_hub import HfApi

            info = retrying(
                lambda: HfApi().dataset_info(self.dataset, revision=self.revision, timeout=_REQUEST_TIMEOUT_S),
                self._place(),
            )
            self.commit = str(info.sha)
        return self.commit

    def _files(self) -> list[_File]:
        """The parquet files in the subfolder, without hidden ones, sorted by path."""
        commit = self._pinned_commit()
        folder = self.subfolder
        if folder.endswith(".parquet"):  # one file was named: list the folder that holds it
            folder = folder.rpartition("/")[0]
        entries = retrying(lambda: _list_tree(self.dataset, folder, commit), self._place())
        files = [
            _File(entry.path, entry.size, entry.blob_id)
            for entry in entries
            if hasattr(entry, "blob_id") and entry.path.endswith(".parquet") and _is_within(entry.path, self.subfolder)
        ]
        if not files:
            raise SourceError(
                f"{self._place()} has no parquet file; expected *.parquet. For a dataset in another format, "
                f"the Hub may keep a copy in parquet: hf://datasets/{self.dataset}@refs/convert/parquet"
            )
        return sorted(files, key=lambda file: file.path)

    def _check_columns(self, file: _File) -> None:
        place = HubPlace(self.dataset, self._pinned_commit(), file.path)
        with tempfile.TemporaryDirectory(prefix="stackfim-hub-") as lock_folder:
            retrying(lambda: self._resolve_columns(place, lock_folder), place)

    def _resolve_columns(self, place: HubPlace, lock_folder: str) -> dict[str, str]:
        schema = _stream(place, lock_folder, None).features.arrow_schema
        return checked_columns(schema, self.columns, str(place), needs_licenses=self.needs_licenses)

    def _part_rows(self, file: _File, parts: int) -> list[int]:
        """The number of rows in every part of a file, from its footer."""
        place = HubPlace(self.dataset, self._pinned_commit(), file.path)
        groups = retrying(lambda: _row_group_rows(place), place)
        ranges = [part_range(len(groups), part, parts) for part in range(parts)]
        return [sum(groups[first:end]) for first, end in ranges]

    def _shard(self, index: int, file: _File, part: int, parts: int, rows: int | None) -> Shard:
        locator = {
            "dataset": self.dataset,
            "commit": self._pinned_commit(),
            "file": file.path,
            "blob_id": file.blob_id,
            "part": part,
            "parts": parts,
            "rows": rows,
        }
        return Shard(index, json.dumps(locator), rows, file.size_bytes // parts)


def part_range(count: int, part: int, parts: int) -> tuple[int, int]:
    """Where part number `part` of `parts` consecutive parts of `count` items begins and ends; larger parts come first.

    The rule of `datasets.IterableDataset.shard(..., contiguous=True)`, but a part may also be empty.
    """
    each, more = divmod(count, parts)
    first = part * each + min(part, more)
    return first, first + each + (part < more)


def _is_within(path: str, subfolder: str) -> bool:
    """Whether the path is the subfolder or in it, and no name below the subfolder is hidden."""
    if subfolder and path != subfolder and not path.startswith(f"{subfolder}/"):
        return False
    return not any(name.startswith(".") for name in path.removeprefix(subfolder).split("/"))


def _list_tree(dataset: str, folder: str, commit: str) -> list[Any]:
    from huggingface_hub import HfApi

    entries = HfApi().list_repo_tree(dataset, folder or None, recursive=True, revision=commit, repo_type="dataset")
    return list(entries)


def _stream(place: HubPlace, lock_folder: str, columns: list[str] | None) -> Any:
    """The file as a streaming dataset of these columns, or of all; the only files written are empty locks."""
    import datasets
    from datasets.data_files import DataFilesList

    _disable_retries_and_reports(datasets.config)
    # A list that is resolved already: in a pattern, `[` would not match itself, and any failure of the look-up would be
    # taken for a missing file.
    files = DataFilesList([f"hf://datasets/{place.dataset}@{place.revision}/{place.path}"], [(str(place),)])
    return datasets.load_dataset(
        "parquet",
        data_files={"train": files},
        split="train",
        streaming=True,
        columns=columns,
        batch_size=BATCH_ROWS,
        cache_dir=lock_folder,
        storage_options={"hf": {"block_size": _BLOCK_BYTES}},
    )


def _disable_retries_and_reports(config: Any) -> None:
    """Leaves retries to `hub_failures`: `datasets` would wait up to 20 minutes, whatever the server requests.

    Before every file it would also report the use of its parquet reader to its makers' server.
    """
    config.STREAMING_OPEN_MAX_RETRIES = config.STREAMING_READ_MAX_RETRIES = 1
    config.STREAMING_OPEN_RETRY_INTERVAL = config.STREAMING_READ_RETRY_INTERVAL = 0
    config.STREAMING_READ_SERVER_UNAVAILABLE_RETRY_INTERVAL = config.STREAMING_READ_RATE_LIMIT_RETRY_INTERVAL = 0
    config.HF_UPDATE_DOWNLOAD_COUNTS = False


def _row_group_batches(stream: Any, row_group: int) -> Iterator[pa.RecordBatch]:
    one_group = stream.shard(num_shards=stream.num_shards, index=row_group)
    for table in one_group.with_format("arrow").iter(BATCH_ROWS):
        yield from table.to_batches()


def _row_group_rows(place: HubPlace) -> list[int]:
    """The number of rows in every row group of a file, from its footer."""
    import pyarrow.parquet as pq
    from huggingface_hub import HfFileSystem

    path = f"datasets/{place.dataset}@{place.revision}/{place.path}"
    with HfFileSystem(block_size=_BLOCK_BYTES).open(path, "rb") as file:
        metadata = pq.read_metadata(file)
    return [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
