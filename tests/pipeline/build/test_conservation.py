"""Every row that is read gives examples, a rejection or a removal: a run that loses one fails, a relabelled row is counted."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackfim.pipeline.config.run_config import RunConfig
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.counts import BrokenPromise
from stackfim.pipeline.folder.manifest import make_manifest, read_manifest
from stackfim.pipeline.folder.storage import Storage
from stackfim.pipeline.sources import Shard
from stackfim.schemas.manifest import Manifest
from stackfim.schemas.record import FileRecord
from tests.pipeline.fixture_types import Run

HEADER = """#ifndef WIDGET_H
#define WIDGET_H
class Widget {
 public:
  int width() const { return width_; }
  void set_width(int width) {
    width_ = width;
    changed_ = true;
  }
 private:
  int width_ = 0;
  bool changed_ = false;
};
#endif
"""


@pytest.fixture(scope="module")
def finished(stackfim: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over a C++ header whose row says C, and files with licenses from their repository and from their own header."""
    folder = tmp_path_factory.mktemp("rows")
    code = "def total(values):\n    result = 0\n    for value in values:\n        result += value\n    return result\n"
    files = [
        ("src/widget.h", "C", HEADER, ["MIT OR GPL-2.0-only"]),
        ("total.py", "Python", code, ["Apache License, Version 2.0"]),
        ("own.py", "Python", "# SPDX-License-Identifier: GPL-3.0-only\n" + code.replace("total", "sum_of"), ["MIT"]),
        ("both.py", "Python", code.replace("total", "both"), ["MIT AND GPL-2.0-only"]),
        ("test.t", "Perl", "  $ hg init repo\n  $ cd repo\n", ["MIT"]),
    ]
    rows = [
        {"path": path, "lang": language, "content": content, "licenses": licenses, "repository": "owner/name"}
        for path, language, content, licenses in files
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet")
    done = stackfim("build", f"parquet:{folder}", "--out", folder / "out", "--workers", 1, "--keep-work")
    assert done.returncode == 0, done.stderr
    assert "C>C++ 1" in done.stdout
    return folder / "out"


def manifest_again(folder: Path) -> Manifest:
    storage = Storage(str(folder))
    manifest = read_manifest(storage)
    shards = [Shard(index, locator, None, None) for index, locator in enumerate(manifest.locators)]
    attribution = FileRecord(path=paths.ATTRIBUTION, size_bytes=1, sha256="0")
    return make_manifest(storage, "0", manifest.source, shards, RunConfig(), attribution)


def test_each_file_is_rejected_for_its_reason_or_stays_in_the_language_that_it_shows(
    finished: Path, stackfim: Run
) -> None:
    rejected = [row for path in finished.glob("rejections/*") for row in pq.read_table(path).to_pylist()]
    assert {row["path"]: (row["stage"], row["reason"]) for row in rejected} == {
        "own.py": ("license_header", "license_header"),
        "both.py": ("license", "license_not_allowed"),
        "test.t": ("file_language", "language_mismatch"),
    }
    examples = [row for path in finished.glob("data/*") for row in pq.read_table(path).to_pylist()]
    assert {(row["path"], row["language"]) for row in examples} == {("src/widget.h", "C++"), ("total.py", "Python")}
    assert {row["licenses"][0] for row in examples} == {"MIT OR GPL-2.0-only", "Apache License, Version 2.0"}
    assert json.loads((finished / "manifest.json").read_text())["relabelled"] == {"C>C++": 1}
    checked = stackfim("verify", finished)
    assert checked.returncode == 0, checked.stdout


def test_the_counts_of_a_run_add_up_and_a_lost_row_is_noticed(finished: Path) -> None:
    counts = manifest_again(finished).counts
    left = counts["files_rejected"] + counts["files_removed"] + counts["files_with_examples"]
    assert counts["files_in"] == left == 5
    marker = finished / paths.filtered_marker(0)
    whole = marker.read_text()
    for name, change in (("rows_in", 1), ("rejected:file:license_header:license_header", -1)):
        said = json.loads(whole)
        said["counts"][name] += change
        marker.write_text(json.dumps(said))
        with pytest.raises(BrokenPromise, match="files in are not"):
            manifest_again(finished)
    marker.write_text(whole)
    assert manifest_again(finished).counts == counts
