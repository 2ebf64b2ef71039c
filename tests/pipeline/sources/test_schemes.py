"""The table of schemes: what opens which source, and what is no source at all."""

from pathlib import Path

import pytest

from stackfim.pipeline.sources import SCHEMES, SOURCE_FORMS, Scheme, SourceError, open_source, scheme_of
from stackfim.pipeline.sources.code.source import CodeSource
from stackfim.pipeline.sources.hub import HubSource
from stackfim.pipeline.sources.parquet import ParquetSource


@pytest.mark.parametrize(
    ("spec", "kind"),
    [("hf://datasets/org/name", HubSource), ("parquet:folder", ParquetSource), ("code:folder", CodeSource)],
)
def test_each_scheme_opens_its_source(spec: str, kind: type) -> None:
    assert isinstance(open_source(spec), kind)
    scheme = scheme_of(spec)
    assert scheme is not None
    assert scheme.form.startswith(spec.partition(":")[0])


def test_a_location_may_hold_colons_of_its_own() -> None:
    assert open_source("parquet:s3://bucket/a:b") == ParquetSource("s3://bucket/a:b")


@pytest.mark.parametrize("spec", ["", "code", "hf", "folder/code", "gs://bucket/run", "Code:folder", "code :folder"])
def test_text_without_a_known_scheme_is_no_source(spec: str) -> None:
    assert scheme_of(spec) is None


@pytest.mark.parametrize("spec", ["", "code", "code:", "parquet:", "hf:", "zip:folder", "/a/folder"])
def test_what_is_no_source_is_refused_with_all_forms(spec: str) -> None:
    with pytest.raises(SourceError) as raised:
        open_source(spec)
    assert str(raised.value) == f"{spec!r} is not a source; expected {SOURCE_FORMS}"
    assert all(scheme.form in SOURCE_FORMS for scheme in SCHEMES.values())


def test_a_line_in_the_table_is_all_that_a_new_scheme_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scheme = Scheme("tree:FOLDER", lambda spec, columns: CodeSource(spec.removeprefix("tree:")), is_download=False)
    monkeypatch.setitem(SCHEMES, "tree", scheme)
    assert open_source(f"tree:{tmp_path}") == CodeSource(str(tmp_path))
    assert scheme_of(f"tree:{tmp_path}") is scheme
