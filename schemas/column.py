"""A described Arrow column."""

import pyarrow as pa


def column(name: str, type_: pa.DataType, description: str, *, nullable: bool = False) -> pa.Field:
    """A field that carries `description` in its metadata; not nullable unless asked for."""
    return pa.field(name, type_, nullable=nullable, metadata={"description": description})


def describe(schema: pa.Schema) -> list[tuple[str, str, str]]:
    """(name, type, description) of every column, in order: what the documentation prints."""
    return [(field.name, str(field.type), (field.metadata or {}).get(b"description", b"").decode()) for field in schema]
