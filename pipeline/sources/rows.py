"""Rows of the pipeline from batches of another schema: columns renamed, content hashed, cut to size.

Pure functions on Arrow data, shared by every source that reads tables. Content is never decoded: it may be invalid
UTF-8, which a later filter rejects, and its hash is that of the original bytes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stackfim.pipeline.sources.source import BATCH_BYTES, BATCH_ROWS, SourceBatch, SourceError
from stackfim.pipeline.sources.value_bounds import bound_in_words, byte_lengths, over_bounds, without_rows
from stackfim.schemas.rejection import FILE, no_rejections, rejections
from stackfim.schemas.source import (
    CONSTANT,
    ROW,
    TEXT_COLUMNS,
    MissingColumns,
    as_binary,
    folder_values,
    git_blob_id,
    license_lists,
    resolve_columns,
    text_or_empty,
)
from stackfim.transforms.languages.file_names import (
    SHEBANG_BYTES,
    language_of_name,
    language_of_shebang,
    may_have_shebang,
)

READ = "read"

_LARGEST_COUNT = 2**63
_COUNT_COLUMNS = ("stars", "forks")


def git_blob_ids(content: pa.BinaryArray) -> pa.StringArray:
    """The git blob id of every value, null where the value is null; the bytes are hashed in place, without a copy."""
    count = len(content)
    _, offset_buffer, data_buffer = content.buffers()
    if count == 0:
        return pa.array([], pa.string())
    offsets = np.frombuffer(offset_buffer, np.int32, count + 1, content.offset * 4).tolist()
    data = memoryview(data_buffer) if data_buffer is not None else memoryview(b"")
    ids: list[str | None] = [git_blob_id(data[start:end]) for start, end in pairwise(offsets)]
    if content.null_count:
        ids = [blob_id if valid else None for blob_id, valid in zip(ids, content.is_valid().to_pylist(), strict=True)]
    return pa.array(ids, pa.string())


def checked_columns(
    schema: pa.Schema, mapping: Mapping[str, str], place: str, *, needs_licenses: bool = True
) -> dict[str, str]:
    """Which column of `schema` gives each column of ROW (stackfim.schemas.source.resolve_columns), once types are checked.

    `place` is the path of the file, whose folders may tell values too. Raises SourceError, which names `place`, for missing
    columns and for types that cannot be converted.
    """
    try:
        resolved = resolve_columns(schema.names, mapping, folder_values(place), needs_licenses=needs_licenses)
        empty = pa.RecordBatch.from_arrays(
            [pa.array([], schema.field(name).type) for name in needed_columns(resolved)],
            schema=pa.schema([schema.field(name) for name in needed_columns(resolved)]),
        )
        source_batch_with_places(empty, resolved)
        if not is_constant(resolved.get("licenses", CONSTANT)):
            licenses = _plain(empty.column(resolved["licenses"])).type
            if not _is_text(_innermost(licenses)):
                raise SourceError(
                    f"column {resolved['licenses']} is {licenses}, which cannot be the licenses; expected a list of strings"
                )
    except (MissingColumns, SourceError) as error:
        raise SourceError(f"{place}: {error}") from error
    return resolved


def is_constant(source: str) -> bool:
    """Whether what `resolve_columns` gives in the place of a column is the value of all rows."""
    return source.startswith(CONSTANT)


def needed_columns(resolved: Mapping[str, str]) -> list[str]:
    """The source columns that `resolved` (stackfim.schemas.source.resolve_columns) uses, each once, in the order of ROW."""
    return list(dict.fromkeys(source for source in resolved.values() if not is_constant(source)))


def cut_points(sizes: np.ndarray, max_rows: int = BATCH_ROWS, max_bytes: int = BATCH_BYTES) -> list[int]:
    """Where to cut rows of these sizes (bytes): increasing row numbers from 0 to the number of rows.

    A piece has at most `max_rows` rows and `max_bytes` bytes, or is one row that is larger by itself.
    """
    ends = np.cumsum(sizes, dtype=np.int64)
    points = [0]
    while points[-1] < len(sizes):
        start = points[-1]
        before = int(ends[start - 1]) if start else 0
        fitting = int(np.searchsorted(ends, before + max_bytes, side="right"))
        points.append(min(max(fitting, start + 1), start + max_rows))
    return points


def first_rows(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The first `rows` rows of the batches, without empty ones; no batch after them is taken."""
    if rows < 1:
        return
    for batch in batches:
        taken = batch.slice(0, rows)
        rows -= taken.num_rows
        if taken.num_rows:
            yield taken
        if rows == 0:
            return


def source_batches(foreign: pa.RecordBatch, resolved: Mapping[str, str]) -> Iterator[SourceBatch]:
    """The rows of a batch of another schema, in order, in pieces within BATCH_ROWS and BATCH_BYTES.

    A row without content, repository or path, or with text that is not UTF-8 in a column other than the content,
    becomes a rejection. Raises SourceError when a column has a type that does not suit what it is mapped to.
    """
    lengths = _typed(resolved, "content", byte_lengths, foreign.column(resolved["content"]))
    points = cut_points(lengths)
    for start, end in pairwise(points):
        yield source_batch_with_places(foreign.slice(start, end - start), resolved)[0]


def source_batch_with_places(
    piece: pa.RecordBatch, resolved: Mapping[str, str]
) -> tuple[SourceBatch, npt.NDArray[np.int64]]:
    """The rows of a piece of `source_batches`, and which rows of the piece they were: int64, shape (rows,), ascending."""
    count = piece.num_rows
    stored = {
        name: _constant(name, source, count) if is_constant(source) else piece.column(source)
        for name, source in resolved.items()
    }
    too_long = _too_long(stored)
    for name, long_rows in too_long.items():
        stored[name] = without_rows(stored[name], long_rows)
    given = {name: _plain(values) for name, values in stored.items()}
    content = _typed(resolved, "content", as_binary, _content(given["content"]))
    not_utf8 = _not_utf8(given)
    for name, bad_rows in not_utf8.items():
        given[name] = without_rows(given[name], np.array(bad_rows))
    text = {
        name: _typed(resolved, name, text_or_empty, given[name]) if name in given else pa.repeat("", count)
        for name in TEXT_COLUMNS
    }
    if "language" not in given:
        text["language"] = _languages_of_paths(text["path"], content)
    no_licenses = pa.array([[]] * count, ROW.field("licenses").type)
    licenses = _typed(resolved, "licenses", license_lists, given["licenses"]) if "licenses" in given else no_licenses
    counts = {name: _counts(name, given.get(name), count, resolved) for name in _COUNT_COLUMNS}
    blob_ids = git_blob_ids(content)

    reasons, details = _rejected(content, text, too_long, not_utf8, resolved)
    rows = pa.RecordBatch.from_arrays(
        [
            content,
            text["language"],
            text["repository"],
            text["path"],
            text["revision"],
            licenses,
            counts["stars"],
            counts["forks"],
            blob_ids,
            blob_ids,
        ],
        schema=ROW,
    )
    if not any(reasons):
        return SourceBatch(rows, no_rejections()), np.arange(count)
    rejected = pa.array([reason is not None for reason in reasons], pa.bool_())
    dropped = pa.RecordBatch.from_arrays(
        [text["repository"], text["path"], pc.fill_null(blob_ids, "")], names=["repository", "path", "content_id"]
    ).filter(rejected)
    batch = SourceBatch(
        rows.filter(pc.invert(rejected)),
        rejections(
            FILE,
            READ,
            [reason for reason in reasons if reason],
            dropped,
            [detail for detail in details if detail],
        ),
    )
    return batch, np.flatnonzero(pc.invert(rejected).to_numpy(zero_copy_only=False))


def _constant(name: str, source: str, count: int) -> pa.Array:
    value = source.removeprefix(CONSTANT)
    return pa.array([[value]] * count, ROW.field(name).type) if name == "licenses" else pa.repeat(value, count)


def _languages_of_paths(paths: pa.StringArray, content: pa.BinaryArray) -> pa.StringArray:
    """Languages by the names of the files, or by the first line of scripts; empty where neither tells."""
    found = []
    for row, path in enumerate(paths.to_pylist()):
        name = path.rpartition("/")[2]
        language = language_of_name(name)
        if not language and may_have_shebang(name) and content[row].is_valid:
            language = language_of_shebang(content[row].as_buffer()[:SHEBANG_BYTES].to_pybytes())
        found.append(language)
    return pa.array(found, pa.string())


def _rejected(
    content: pa.BinaryArray,
    text: Mapping[str, pa.StringArray],
    too_long: Mapping[str, npt.NDArray[np.bool_]],
    not_utf8: Mapping[str, list[bool]],
    resolved: Mapping[str, str],
) -> tuple[list[str | None], list[str | None]]:
    """A reason and a detail for every row that cannot be used, None for the others."""
    count = len(content)
    reasons: list[str | None] = [None] * count
    details: list[str | None] = [None] * count
    unset = {
        "content": content.is_null().to_pylist() if content.null_count else None,
        "repository": pc.equal(text["repository"], "").to_pylist(),
        "path": pc.equal(text["path"], "").to_pylist(),
    }
    for name, long_rows in too_long.items():
        for row in np.flatnonzero(long_rows).tolist():
            reasons[row] = reasons[row] or "text_too_long"
            details[row] = details[row] or f"column {resolved[name]} holds more than {bound_in_words(name)}"
    for name, bad_rows in not_utf8.items():
        for row, is_bad in enumerate(bad_rows):
            if is_bad and reasons[row] is None:
                reasons[row] = "text_not_utf8"
                details[row] = f"column {resolved[name]} holds bytes that are not UTF-8; expected text"
    for name, missing in unset.items():
        for row, is_missing in enumerate(missing or ()):
            if is_missing and reasons[row] is None:
                reasons[row] = f"missing_{name}"
                details[row] = f"column {resolved[name]} is null or empty; expected the file's {name}"
    return reasons, details


def _content(values: pa.Array) -> pa.Array:
    return values.cast(pa.binary()) if pa.types.is_null(values.type) else values


def _too_long(stored: Mapping[str, pa.Array]) -> dict[str, npt.NDArray[np.bool_]]:
    """The columns besides the content that hold more than they may, with a mark for each row."""
    marks = {name: over_bounds(name, stored[name]) for name in (*TEXT_COLUMNS, "licenses") if name in stored}
    return {name: mark for name, mark in marks.items() if mark.any()}


def _innermost(type_: pa.DataType) -> pa.DataType:
    """The type of the values inside lists and one-field structs."""
    while True:
        if isinstance(type_, pa.ListType | pa.LargeListType | pa.FixedSizeListType | pa.DictionaryType):
            type_ = type_.value_type
        elif pa.types.is_struct(type_) and type_.num_fields == 1:
            type_ = type_.field(0).type
        else:
            return type_


def _is_text(type_: pa.DataType) -> bool:
    return type_ in (pa.string(), pa.large_string(), pa.string_view(), pa.null())


def _plain(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """One array, with dictionary encoding and string views resolved to ordinary types."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_string_view(values.type):
        return values.cast(pa.large_string())
    if pa.types.is_binary_view(values.type):
        return values.cast(pa.large_binary())
    return values


def _typed(
    resolved: Mapping[str, str], name: str, convert: Callable[[pa.Array], pa.Array], values: pa.Array
) -> pa.Array:
    """`convert(values)`; where the type does not allow it, the error names the column, unlike Arrow's."""
    try:
        return convert(values)
    except (TypeError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SourceError(
            f"column {resolved[name]} is {values.type}, which cannot be the {name}; "
            f"expected {ROW.field(name).type} ({error})"
        ) from error


def _not_utf8(given: Mapping[str, pa.Array]) -> dict[str, list[bool]]:
    """The columns besides the content that hold bytes that are not UTF-8, with a mark for each row."""
    return {
        name: [not _is_utf8(value) for value in given[name]]
        for name in (*TEXT_COLUMNS, "licenses")
        if name in given and not _all_utf8(given[name])
    }


def _all_utf8(values: pa.Array) -> bool:
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        values = values.view(pa.string() if pa.types.is_binary(values.type) else pa.large_string())
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _is_utf8(value: pa.Scalar) -> bool:
    try:
        python_value = value.as_py()
        if isinstance(python_value, bytes):
            python_value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _counts(name: str, values: pa.Array | None, rows: int, resolved: Mapping[str, str]) -> pa.Int64Array:
    """Stars or forks; null where the column or the number is missing, or the number is not finite or not below 2^63."""
    if values is None:
        return pa.nulls(rows, pa.int64())
    if pa.types.is_floating(values.type):  # tools without nullable integers write whole numbers as floats
        numbers = values.cast(pa.float64())
        is_count = pc.less(pc.abs(numbers), pa.scalar(float(_LARGEST_COUNT)))  # false for infinity, null for no number
        values = pc.if_else(pc.fill_null(is_count, False), pc.round(numbers), pa.scalar(None, pa.float64()))
    elif pa.types.is_uint64(values.type):
        values = pc.if_else(
            pc.less(values, pa.scalar(_LARGEST_COUNT, pa.uint64())), values, pa.scalar(None, values.type)
        )
    elif not (pa.types.is_integer(values.type) or pa.types.is_null(values.type)):
        raise SourceError(f"column {resolved[name]} is {values.type}, which cannot be {name}; expected a number")
    return _typed(resolved, name, lambda numbers: numbers.cast(pa.int64()), values)
