"""Bounds of what a row may hold beside its content, checked on values as they are stored.

A parquet file of a few kilobytes may say "this value, a thousand times" of values of megabytes: such values are found before
they are copied into every row.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

MAX_TEXT_BYTES = {"path": 4_096, "repository": 1_024, "language": 256, "revision": 256, "licenses": 1_024}
"""Longest value of each column of text, of the licenses each; the longest path of Linux has 4,096 bytes."""
MAX_LICENSES = 1_000
"""Most licenses of a row."""

Mask = npt.NDArray[np.bool_]


def byte_lengths(values: pa.Array) -> npt.NDArray[np.int64]:
    """The length of each text in bytes, 0 for null; dictionaries are not decoded. Raises ArrowNotImplementedError for no text."""
    if pa.types.is_dictionary(values.type):
        lengths = pc.take(pc.binary_length(_ordinary(values.dictionary)), values.indices)
    elif pa.types.is_null(values.type):
        return np.zeros(len(values), np.int64)
    else:
        lengths = pc.binary_length(_ordinary(values))
    found: npt.NDArray[np.int64] = pc.fill_null(lengths, 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def over_bounds(name: str, values: pa.Array) -> Mask:
    """Which rows of a column of text, or of the licenses, hold more than they may: bool, shape (rows,)."""
    over = np.zeros(len(values), bool)
    rows = np.arange(len(values))
    while not _is_text(values.type):
        if pa.types.is_struct(values.type) and values.type.num_fields == 1:
            values = pc.struct_field(values, [0])
        elif isinstance(values.type, pa.ListType | pa.LargeListType | pa.FixedSizeListType):
            counts = pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False)
            over[rows[counts > MAX_LICENSES]] = True
            rows = rows[pc.list_parent_indices(values).to_numpy(zero_copy_only=False)]
            values = pc.list_flatten(values)
        else:
            return over  # no text: the conversion says what is wrong
    over[rows[byte_lengths(values) > MAX_TEXT_BYTES[name]]] = True
    return over


def bound_in_words(name: str) -> str:
    """How much a row may hold of a column: `1,000 licenses of 1,024 bytes`."""
    each = f"{MAX_TEXT_BYTES[name]:,} bytes"
    return f"{MAX_LICENSES:,} licenses of {each}" if name == "licenses" else each


def without_rows(values: pa.Array, drop: Mask) -> pa.Array:
    """The values, null in the rows to drop; what they held is not copied."""
    if pa.types.is_dictionary(values.type):
        indices = pc.if_else(pa.array(drop), pa.scalar(None, values.indices.type), values.indices)
        return pa.DictionaryArray.from_arrays(indices, values.dictionary)
    return values.take(pa.array(np.arange(len(values)), mask=drop))


def _is_text(type_: pa.DataType) -> bool:
    if pa.types.is_dictionary(type_):
        type_ = type_.value_type
    return type_ in _TEXT_TYPES


def _ordinary(values: pa.Array) -> pa.Array:
    """Views as the types that the length kernel knows."""
    if pa.types.is_string_view(values.type):
        return values.cast(pa.large_string())
    return values.cast(pa.large_binary()) if pa.types.is_binary_view(values.type) else values


_TEXT_TYPES = (
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.binary(),
    pa.large_binary(),
    pa.binary_view(),
    pa.null(),
)
