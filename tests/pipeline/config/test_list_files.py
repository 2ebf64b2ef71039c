"""Lists of licenses, repositories and owners: what a file gives, and how one is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stackfim.pipeline.config.list_files import opt_out_record, read_licenses, read_opt_outs
from stackfim.pipeline.config.usage_error import UsageError
from stackfim.transforms.filters.license import PRESETS, preset_licenses


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


@pytest.mark.parametrize(
    ("line", "suggestion"),
    [("MTI", "MIT"), ("Apache-2", None), ("Apache2.00", "Apache-2.0"), ("BSD-3-Claus", "BSD-3-Clause")],
)
def test_a_misspelt_license_is_told_with_its_line_and_a_near_name(
    line: str, suggestion: str | None, tmp_path: Path
) -> None:
    (tmp_path / "ours.txt").write_text(f"\ufeff# ours\n- ISC\n{line}\n", "utf-8")
    if suggestion is None:
        assert read_licenses(str(tmp_path / "ours.txt")) == {"isc", line.lower()}
        return
    with pytest.raises(UsageError) as raised:
        read_licenses(str(tmp_path / "ours.txt"))
    assert f"ours.txt, line 3 names no license: {line!r} (did you mean {suggestion}?); expected" in str(raised.value)


def test_every_list_that_comes_along_can_be_copied_and_a_misspelt_one_is_told(tmp_path: Path) -> None:
    for name in PRESETS:
        (tmp_path / name).write_text("\n".join(sorted(preset_licenses(name))))
        assert read_licenses(str(tmp_path / name)) == preset_licenses(name)
    with pytest.raises(UsageError, match=r"did you mean permissive\?"):
        read_licenses("permisive")


def test_an_opt_out_that_names_nobody_ends_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text("owner\nplease leave out my code\n")
    with pytest.raises(
        UsageError, match=r"out\.txt, line 2 names no repository and no owner: 'please leave out my code'"
    ):
        read_opt_outs(str(tmp_path / "out.txt"))
