"""Arrow tables as single batches."""

import pyarrow as pa


def single_batch(table: pa.Table) -> pa.RecordBatch:
    """The rows of a table as one batch, which may be empty."""
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
