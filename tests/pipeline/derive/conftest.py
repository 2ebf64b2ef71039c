"""What tests of derived folders share: small folders of examples."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.split_settings import SplitSettings
from tests.fixture_types import SourceFile


@pytest.fixture(scope="session")
def write_examples(
    rows_of: Callable[[Iterable[tuple[str, bytes]]], pa.RecordBatch], sources: tuple[SourceFile, ...]
) -> Callable[..., Path]:
    """Writes a dozen examples to each of some files; files of other numbers hold other examples."""
    splitter = Splitter(SplitSettings(max_slots=4, context_bytes=600), "0")

    def write(folder: Path, *names: str, first: int = 0) -> Path:
        for number, name in enumerate(names, first):
            rows = rows_of((file.language, file.content) for file in sources[number * 4 : number * 4 + 4])
            repository = rows.schema.get_field_index("repository")
            column = pa.array([f"owner/{number}"] * rows.num_rows)
            rows = rows.set_column(repository, rows.schema.field(repository), column)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_batches([splitter.split(rows).examples]), folder / name)
        return folder

    return write
