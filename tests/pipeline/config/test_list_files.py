"""Lists of licenses, repositories and owners: what a file gives, and how one is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stackfim.pipeline.config.list_files import opt_out_record, read_licenses, read_opt_outs
from stackfim.pipeline.config.usage_error import UsageError


def test_a_list_is_one_that_comes_along_or_a_file(tmp_path: Path) -> None:
    assert "mit" in read_licenses("permissive")
    (tmp_path / "ours.txt").write_text("# ours\nMIT\n\nLicenseRef-Ours # internal\n")
    assert read_licenses(str(tmp_path / "ours.txt")) == {"mit", "licenseref-ours"}


def test_opt_outs_are_names_or_addresses(tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text("Owner\nhttps://github.com/other/name.git\n")
    assert read_opt_outs(str(tmp_path / "out.txt")) == {"owner", "other/name"}


def test_the_record_has_a_digest_instead_of_names() -> None:
    record = opt_out_record(frozenset({"owner", "other/name"}))
    assert record["names"] == 2
    assert len(record["sha256"]) == 64
    assert opt_out_record(frozenset()) == {}


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (
            read_licenses,
            "licenses is permissive, stack-v1, public-domain, or a text file with one license on each line",
        ),
        (read_opt_outs, "opt_out is a text file with one repository or owner on each line"),
    ],
)
def test_a_list_that_cannot_be_used_is_told(read: Callable[[str], object], expected: str, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("# nothing\n")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe")
    for path, reason in (
        (tmp_path / "none.txt", "No such file or directory"),
        (tmp_path / "empty.txt", "it names nothing"),
        (tmp_path / "binary.txt", "it is no UTF-8 text"),
        (f"{tmp_path}/a\0b", "null"),
    ):
        with pytest.raises(UsageError) as raised:
            read(str(path))
        assert str(raised.value).startswith(f"{expected}, got {path} (")
        assert reason in str(raised.value)
