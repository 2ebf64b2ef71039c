"""Where rows come from: one module for each scheme, and the table that finds it.

The other rooms import from here. The modules of this room import from `source`, so that no import runs in a circle.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stackfim.pipeline.sources.source import Shard, Source, SourceBatch, SourceError, SourceOptions, SourceUnavailable

__all__ = [
    "SCHEMES",
    "SOURCE_FORMS",
    "Scheme",
    "Shard",
    "Source",
    "SourceBatch",
    "SourceError",
    "SourceOptions",
    "SourceUnavailable",
    "open_source",
    "scheme_of",
]


def _open_hub(spec: str, options: SourceOptions) -> Source:
    from stackfim.pipeline.sources.hub import HubSource

    return HubSource.from_spec(spec, options.columns, needs_licenses=options.needs_licenses)


def _open_parquet(spec: str, options: SourceOptions) -> Source:
    from stackfim.pipeline.sources.parquet import ParquetSource

    return ParquetSource(spec.removeprefix("parquet:"), options.columns, options.needs_licenses, options.leave_out)


def _open_code(spec: str, options: SourceOptions) -> Source:
    from stackfim.pipeline.sources.code.source import CodeSource

    return CodeSource(spec.removeprefix("code:"), options.work_tree, options.leave_out)


@dataclass(frozen=True)
class Scheme:
    """One kind of source."""

    form: str
    """How a source of this kind is written, for messages."""
    open: Callable[[str, SourceOptions], Source]
    """The source for a specification and options; imports the module of the kind only when called."""
    is_download: bool
    """Whether reading it always means a download, which checks leave out unless the user requests it."""


SCHEMES: dict[str, Scheme] = {
    "hf": Scheme("hf://datasets/ORG/NAME[@REVISION][/SUBFOLDER]", _open_hub, is_download=True),
    "parquet": Scheme("parquet:FOLDER-OR-GLOB", _open_parquet, is_download=False),
    "code": Scheme("code:FOLDER", _open_code, is_download=False),
}
"""By name, which is what stands before the colon of a specification."""

SOURCE_FORMS = " or ".join(scheme.form for scheme in SCHEMES.values())
"""How sources are written, for messages and help."""


def scheme_of(spec: str) -> Scheme | None:
    """The scheme that a specification begins with; None for anything else, such as the path of a folder."""
    name, colon, _ = spec.partition(":")
    return SCHEMES.get(name) if colon else None


def open_source(spec: str, columns: Mapping[str, str] | None = None, options: SourceOptions | None = None) -> Source:
    """The source that `spec` names; `columns` maps columns of stackfim.schemas.source.ROW to the source's own.

    `options` has all that can be said of how it is read, and `columns` alone is short for it. Raises SourceError for a
    specification that is not of one of the SOURCE_FORMS.
    """
    scheme = scheme_of(spec)
    if scheme is None or not spec.partition(":")[2]:
        raise SourceError(f"{spec!r} is not a source; expected {SOURCE_FORMS}")
    return scheme.open(spec, options or SourceOptions(dict(columns or {})))
