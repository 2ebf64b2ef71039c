"""An Arrow column that carries its own description."""

import pyarrow as pa


def column(name: str, type_: pa.DataType, description: str, *, nullable: bool = False) -> pa.Field:
    """A field with `description` in its metadata; it takes no nulls unless `nullable` says so."""
    return pa.field(name, type_, nullable=nullable, metadata={"description": description})
