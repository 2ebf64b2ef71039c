"""The code source: every file is accounted for, with its repository, revision and licenses."""

import json
import os
import pickle
import shutil
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackfim.pipeline.sources import SourceError, SourceUnavailable, open_source
from stackfim.pipeline.sources.code.repositories import is_license_file, recorded_paths
from stackfim.pipeline.sources.code.source import MAX_FILE_BYTES, MAX_LOCATOR_BYTES, TREE_SHARD_BYTES, CodeSource
from stackfim.pipeline.sources.source import BATCH_BYTES, BATCH_ROWS
from stackfim.schemas.rejection import REJECTION
from stackfim.schemas.source import ROW, git_blob_id
from stackfim.transforms.languages.file_names import language_of_name, language_of_shebang

ISC = """Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby
granted, provided that the above copyright notice and this permission notice appear in all copies."""
UNLICENSE = "This is free and unencumbered software released into the public domain."
ORIGIN = "https://me:hunter2@example.org/owner/name.git"

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def tree(root: Path, files: dict[str, str | bytes]) -> Path:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def git(folder: Path, *arguments: str) -> str:
    """What git says in a folder."""
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path, files: dict[str, str | bytes], url: str = ORIGIN) -> str:
    """Adds the files to a repository, which is made if there is none, and gives the new commit."""
    tree(folder, files)
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
        git(folder, "remote", "add", "origin", url)
    git(folder, "add", "--force", ".")
    git(folder, "commit", "-q", "--allow-empty", "-m", "x")
    return git(folder, "rev-parse", "HEAD")


def dist_info(site: str, name: str, version: str, record: list[str], *header: str) -> dict[str, str | bytes]:
    """The metadata of an installed distribution."""
    folder = f"{site}/{name}-{version}.dist-info"
    lines = "\n".join(["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *header])
    own = [f"{name}-{version}.dist-info/{file}" for file in ("METADATA", "RECORD")]
    return {
        f"{folder}/METADATA": f"{lines}\n\nText.\n",
        f"{folder}/RECORD": "".join(f"{path},sha256=x,1\n" for path in [*record, *own]),
    }


def read(source: Any, limit: int | None = None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All rows and rejections, shard by shard; each shard holds as many as it was listed with."""
    rows: list[dict[str, Any]] = []
    rejections: list[dict[str, Any]] = []
    for shard in source.shards(limit):
        before = len(rows) + len(rejections)
        for batch in source.read(shard.locator):
            assert batch.rows.schema.equals(ROW, check_metadata=True)
            assert batch.rejections.schema.equals(REJECTION, check_metadata=True)
            rows += batch.rows.to_pylist()
            rejections += batch.rejections.to_pylist()
        assert len(rows) + len(rejections) - before == shard.rows
    return rows, rejections


def described(root: Path) -> dict[str, tuple[str, str, list[str]]]:
    """Language, revision and licenses of every row, by `repository: path`."""
    rows, _ = read(open_source(f"code:{root}"))
    named = {f"{row['repository']}: {row['path']}": (row["language"], row["revision"], row["licenses"]) for row in rows}
    assert len(named) == len(rows)
    return named


def reasons(root: Path) -> dict[str, str]:
    _, rejections = read(open_source(f"code:{root}"))
    return {rejection["path"]: rejection["reason"] for rejection in rejections}


# Repositories


@needs_git
def test_a_git_repository_has_the_name_of_its_origin_and_its_head_commit_and_no_secret_of_the_url(
    tmp_path: Path,
) -> None:
    revision = commit(tmp_path / "clone", {"LICENSE": ISC, "src/x.py": "x = 1\n"})
    assert described(tmp_path) == {"owner/name: src/x.py": ("Python", revision, ["ISC"])}
    source = open_source(f"code:{tmp_path}")
    assert "hunter2" not in json.dumps([shard.locator for shard in source.shards()])


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_repository_made_by_git_itself(tmp_path: Path) -> None:
    tree(tmp_path / "r", {"a.go": "package a\n", "COPYING": UNLICENSE})
    commands = [
        "init -q",
        "add .",
        "-c user.name=A -c user.email=a@b commit -q -m x",
        "remote add origin git@h:o/n.git",
        "gc -q",
    ]
    for command in commands:
        subprocess.run(["git", *command.split()], cwd=tmp_path / "r", check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tmp_path / "r", capture_output=True, text=True, check=True)
    assert described(tmp_path) == {"o/n: a.go": ("Go", head.stdout.strip(), ["Unlicense"])}


@needs_git
def test_parts_of_a_work_tree_keep_its_name_and_revision_but_state_their_own_licenses(tmp_path: Path) -> None:
    revision = commit(
        tmp_path / "clone",
        {
            "LICENSE": ISC,
            "packages/a/package.json": '{"name": "a", "version": "1.0.0"}',
            "packages/a/a.js": "a()",
            "packages/b/package.json": '{"name": "b", "license": "MIT"}',
            "packages/b/b.js": "b()",
            "packages/c/package.json": '{"name": "c", "license": "UNLICENSED"}',
            "packages/c/c.js": "c()",
            "node_modules/d/package.json": '{"name": "d", "version": "4.0.0"}',
            "node_modules/d/d.js": "d()",
            "node_modules/d/esm/package.json": '{"type": "module"}',
            "node_modules/d/esm/d.js": "d()",
        },
    )
    found = {name: facts for name, facts in described(tmp_path).items() if name.endswith(".js")}
    assert found == {
        "owner/name: packages/a/a.js": ("JavaScript", revision, ["ISC"]),
        "owner/name: packages/b/b.js": ("JavaScript", revision, ["MIT"]),
        "owner/name: packages/c/c.js": ("JavaScript", revision, []),
        "d: d.js": ("JavaScript", "4.0.0", []),
        "d: esm/d.js": ("JavaScript", "4.0.0", []),
    }


def test_packages_of_all_kinds_are_repositories(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            "py/pyproject.toml": '[project]\nname = "thing"\nversion = "1.5"\nlicense = "MIT"',
            "py/thing/a.py": "1",
            "rs/Cargo.toml": '[package]\nname = "crate"\nversion = "0.3.0"\nlicense = "MIT/Apache-2.0"',
            "rs/src/lib.rs": "fn f() {}",
            "mod/example.org/m@v1.2.3/go.mod": "module example.org/m\n",
            "mod/example.org/m@v1.2.3/LICENSE": ISC,
            "mod/example.org/m@v1.2.3/m.go": "package m",
            "java/pom.xml": "<project><groupId>org.a</groupId><artifactId>b</artifactId><version>7</version>"
            "<licenses><license><name>Apache License, Version 2.0</name></license></licenses></project>",
            "java/src/B.java": "class B {}",
            "plain/deep/LICENCE.txt": UNLICENSE,
            "plain/deep/x.c": "int x;",
        },
    )
    found = {name: facts for name, facts in described(tmp_path).items() if facts[0] not in ("TOML", "XML")}
    assert found == {
        "thing: thing/a.py": ("Python", "1.5", ["MIT"]),
        "crate: src/lib.rs": ("Rust", "0.3.0", ["MIT OR Apache-2.0"]),
        "example.org/m: m.go": ("Go", "v1.2.3", ["ISC"]),
        "org.a:b: src/B.java": ("Java", "7", ["Apache-2.0"]),
        "plain/deep: x.c": ("C", "", ["Unlicense"]),
    }


def test_members_of_a_cargo_workspace_have_its_license(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            "ws/Cargo.toml": '[workspace]\nmembers = ["a"]\n[workspace.package]\nlicense = "MIT"\nversion = "2.0.0"',
            "ws/a/Cargo.toml": '[package]\nname = "a"\nversion.workspace = true\nlicense.workspace = true',
            "ws/a/src/lib.rs": "fn f() {}",
        },
    )
    assert described(tmp_path)["a: src/lib.rs"][2] == ["MIT"]


def test_files_outside_repositories_belong_to_the_topmost_folder_and_have_no_license(tmp_path: Path) -> None:
    tree(tmp_path / "root", {"a/b/x.py": "1", "y.py": "2"})
    assert described(tmp_path / "root") == {"a: b/x.py": ("Python", "", []), "root: y.py": ("Python", "", [])}


def test_a_license_file_makes_a_family_exact_and_only_real_license_files_count(tmp_path: Path) -> None:
    pyproject = '[project]\nname = "thing"\nclassifiers = ["License :: OSI Approved :: MIT License"]'
    family = pyproject.replace("MIT License", "BSD License")
    tree(tmp_path, {"a/pyproject.toml": family, "a/license.py": ISC, "a/LICENSE.md": ISC, "a/x.py": "1"})
    tree(tmp_path, {"b/pyproject.toml": pyproject.replace("thing", "b"), "b/COPYING": ISC, "b/x.py": "1"})
    found = described(tmp_path)
    assert found["thing: x.py"][2] == ["ISC"], "the file is not a member of the family, and counts by itself"
    assert found["b: x.py"][2] == ["MIT"], "what the metadata states goes before the texts"


@pytest.mark.parametrize(
    ("name", "is_license"),
    [
        ("LICENSE", True),
        ("License.txt", True),
        ("LICENCE.md", True),
        ("LICENSE-MIT", True),
        ("COPYING.LESSER", True),
        ("UNLICENSE", True),
        ("licenses.txt", True),
        ("license.py", False),
        ("licenses.json", False),
        ("LicenseManager.java", False),
        ("copying.c", False),
        ("relicense", False),
    ],
)
def test_names_of_license_files(name: str, is_license: bool) -> None:
    assert is_license_file(name) is is_license


# Installed packages


def test_files_of_installed_packages_belong_to_the_distribution_whose_record_lists_them(tmp_path: Path) -> None:
    site = "lib/python3.11/site-packages"
    tree(
        tmp_path,
        {
            **dist_info(site, "alpha", "1.0", ["shared/alpha.py", "alpha.py", "LICENSE"], "License-Expression: MIT"),
            **dist_info(
                site,
                "beta",
                "2.0",
                ["shared/beta.py", "shared/LICENSE"],
                "Classifier: License :: OSI Approved :: BSD License",
            ),
            f"{site}/beta-2.0.dist-info/licenses/LICENSE": ISC,
            f"{site}/shared/alpha.py": "a",
            f"{site}/shared/beta.py": "b",
            f"{site}/shared/LICENSE": UNLICENSE,
            f"{site}/alpha.py": "a",
            f"{site}/LICENSE": UNLICENSE,
            f"{site}/unlisted/x.py": "x",
            f"{site}/marked/LICENSE": UNLICENSE,
            f"{site}/marked/x.py": "x",
            f"{site}/alone.py": "x",
        },
    )
    assert described(tmp_path) == {
        "alpha: alpha.py": ("Python", "1.0", ["MIT"]),
        "alpha: shared/alpha.py": ("Python", "1.0", ["MIT"]),
        "beta: shared/beta.py": ("Python", "2.0", ["ISC"]),
        f"{site}/unlisted: x.py": ("Python", "", []),
        f"{site}/marked: x.py": ("Python", "", ["Unlicense"]),
        f"{site}: alone.py": ("Python", "", []),
    }


@needs_git
def test_a_distribution_in_a_work_tree_takes_nothing_from_it(tmp_path: Path) -> None:
    site = ".venv/lib/site-packages"
    commit(tmp_path / "clone", {"LICENSE": ISC, **dist_info(site, "a", "1", ["a.py"]), f"{site}/a.py": "a"})
    assert described(tmp_path) == {"a: a.py": ("Python", "1", [])}


def test_only_paths_beside_a_record_count() -> None:
    record = b'a/b.py,sha256=x,1\n"c, d.py",,\n../../../bin/tool,,\n/etc/passwd,,\na/../../x.py,,\n\n\xff.py,,\n'
    assert list(recorded_paths(record)) == ["a/b.py", "c, d.py", "\udcff.py"]


@given(st.binary(max_size=200))
def test_any_record_is_survived(record: bytes) -> None:
    assert all(".." not in path.split("/") for path in recorded_paths(record))


def test_most_packages_of_this_installation_have_a_license() -> None:
    """Real metadata: the packages of a working installation."""
    source = CodeSource(sysconfig.get_paths()["purelib"])
    shards = source.shards()
    records = [record for shard in shards for record in json.loads(shard.locator)["repositories"]]
    by_name = {name: licenses for _, name, _, licenses in records}
    assert by_name["hypothesis"] == ["MPL-2.0"]
    assert by_name["pytest"] == ["MIT"]
    assert by_name["numpy"][0].startswith("BSD-3-Clause AND ")
    assert sum(bool(licenses) for licenses in by_name.values()) > 0.8 * len(by_name)
    assert all(len(shard.locator) < 1_000_000 for shard in shards)


# Every file is accounted for


def test_each_kind_of_file_that_cannot_be_a_row_has_its_reason(tmp_path: Path) -> None:
    outside = tree(tmp_path / "outside", {"x.py": "secret"})
    root = tree(
        tmp_path / "root",
        {
            "kept.py": "x = 1\n",
            "table.csv": "1,2",
            "README": "text without an interpreter",
            "nul.py": b"x\0y",
            "large.py": b"#" * (MAX_FILE_BYTES + 1),
            "latin.py": "ä = 1".encode("latin-1"),
        },
    )
    os.mkfifo(root / "pipe.py")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        previous = os.getcwd()
        os.chdir(root)  # the path of a socket must be short
        listener.bind("socket.py")
        os.chdir(previous)
    (root / "outside.py").symlink_to(outside / "x.py")
    (root / "folder").symlink_to(outside)
    (root / "nowhere.py").symlink_to("missing.py")
    (root / "circle.py").symlink_to("circle.py")
    rows, rejections = read(open_source(f"code:{root}"))
    assert [row["path"] for row in rows] == ["kept.py"]
    assert {rejection["path"]: rejection["reason"] for rejection in rejections} == {
        "table.csv": "language_unknown",
        "README": "language_unknown",
        "nul.py": "binary",
        "large.py": "oversized",
        "latin.py": "undecodable",
        "pipe.py": "special_file",
        "pipe": "special_file",
        "socket.py": "special_file",
        "outside.py": "symlink_outside",
        "folder": "symlink_outside",
        "nowhere.py": "unreadable",
        "circle.py": "unreadable",
    }
    assert all(rejection["detail"] for rejection in rejections)
    ids = {rejection["path"]: rejection["content_id"] for rejection in rejections}
    assert ids["nul.py"] == git_blob_id(b"x\0y")
    assert ids["large.py"] == ids["pipe.py"] == ids["table.csv"] == ""


def test_links_inside_the_tree_are_left_out_and_circles_survived(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", {"a/x.py": "1", "b/y.py": "2"})
    (root / "a" / "link.py").symlink_to("x.py")
    (root / "a" / "up").symlink_to(root)
    (root / "b" / "a").symlink_to("../a")
    rows, rejections = read(open_source(f"code:{root}"))
    assert [(row["repository"], row["path"]) for row in rows] == [("a", "x.py"), ("b", "y.py")]
    assert rejections == []


def test_a_tree_reached_by_a_link_is_read(tmp_path: Path) -> None:
    tree(tmp_path / "real", {"a/x.py": "1"})
    (tmp_path / "link").symlink_to("real")
    assert described(tmp_path / "link") == {"a: x.py": ("Python", "", [])}


def test_version_control_and_byte_code_are_not_listed(tmp_path: Path) -> None:
    tree(tmp_path, {"a/.git/hooks/x.py": "1", "a/.hg/y.py": "1", "a/__pycache__/z.py": "1", "a/w.py": "1"})
    tree(tmp_path, {"b/.git": "gitdir: ../a/.git/modules/b\n", "b/v.py": "1"})
    rows, rejections = read(open_source(f"code:{tmp_path}"))
    assert [row["path"] for row in rows] == ["w.py", "v.py"]
    assert rejections == []


def test_a_name_that_is_not_utf8_is_a_rejection_with_a_readable_path(tmp_path: Path) -> None:
    name = os.fsencode(str(tmp_path)) + b"/caf\xe9.py"
    with open(name, "wb") as file:
        file.write(b"x")
    folder = os.fsencode(str(tmp_path)) + b"/d\xff"
    os.mkdir(folder)
    with open(folder + b"/x.py", "wb") as file:
        file.write(b"x")
    _, rejections = read(open_source(f"code:{tmp_path}"))
    assert [(r["repository"], r["path"], r["reason"]) for r in rejections] == [
        (tmp_path.name, "caf\\xe9.py", "path_not_utf8"),
        ("d\\xff", "x.py", "path_not_utf8"),
    ]


def test_a_file_that_vanishes_or_becomes_a_pipe_after_the_listing_is_a_rejection(tmp_path: Path) -> None:
    tree(tmp_path, {"a/gone.py": "1", "a/pipe.py": "2", "a/kept.py": "3", "b/folder.py": "4"})
    source = open_source(f"code:{tmp_path}")
    shards = source.shards()
    (tmp_path / "a/gone.py").unlink()
    (tmp_path / "a/pipe.py").unlink()
    os.mkfifo(tmp_path / "a/pipe.py")
    (tmp_path / "b/folder.py").unlink()
    (tmp_path / "b/folder.py").mkdir()
    batches = [batch for shard in shards for batch in source.read(shard.locator)]
    assert [path for batch in batches for path in batch.rows["path"].to_pylist()] == ["kept.py"]
    found = {r["path"]: r["reason"] for batch in batches for r in batch.rejections.to_pylist()}
    assert found == {"gone.py": "unreadable", "pipe.py": "special_file", "folder.py": "unreadable"}


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not stop root")
def test_files_and_folders_without_permission_are_rejections(tmp_path: Path) -> None:
    tree(tmp_path, {"a/x.py": "1", "b/y.py": "2"})
    (tmp_path / "a/x.py").chmod(0)
    (tmp_path / "b").chmod(0)
    try:
        assert reasons(tmp_path) == {"x.py": "unreadable", "b": "unreadable"}
    finally:
        (tmp_path / "b").chmod(0o700)


def test_a_folder_that_cannot_be_listed_is_a_rejection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"a/x.py": "1", "b/y.py": "2"})
    real = os.scandir

    def scandir(path: Any) -> Any:
        if str(path).endswith("/b"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert reasons(tmp_path) == {"b": "unreadable"}


# Languages


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("x.py", "Python"),
        ("x.pyi", "Python"),
        ("X.CS", "C#"),
        ("x.hpp", "C++"),
        ("x.h", "C"),
        ("x.tsx", "TSX"),
        ("x.jsx", "JavaScript"),
        ("x.d.ts", "TypeScript"),
        ("Makefile", "Makefile"),
        ("CMakeLists.txt", "CMake"),
        ("Dockerfile.dev", "Dockerfile"),
        ("notes.txt", ""),
        ("x.unknown", ""),
        ("README", ""),
        (".gitignore", ""),
        ("py", ""),
        ("", ""),
    ],
)
def test_languages_of_names(name: str, language: str) -> None:
    assert language_of_name(name) == language


@pytest.mark.parametrize(
    ("head", "language"),
    [
        (b"#!/bin/sh\n", "Shell"),
        (b"#! /usr/bin/env python3.11\nimport x", "Python"),
        (b"#!/usr/bin/env -S VAR=1 node --flag\r\n", "JavaScript"),
        (b"#!/usr/bin/perl -w", "Perl"),
        (b"#!/usr/bin/env\n", ""),
        (b"#!/opt/own-thing\n", ""),
        (b"text\n#!/bin/sh", ""),
        (b"#!\xff\xfe", ""),
        (b"", ""),
    ],
)
def test_languages_of_first_lines(head: bytes, language: str) -> None:
    assert language_of_shebang(head) == language


def test_a_script_without_an_extension_is_a_row(tmp_path: Path) -> None:
    tree(tmp_path, {"bin/tool": "#!/usr/bin/env python3\nprint()\n", "bin/data": b"\x7fELF\0"})
    assert described(tmp_path) == {"bin: tool": ("Python", "", [])}
    assert reasons(tmp_path) == {"data": "language_unknown"}


# Shards


def test_shards_are_small_enough_to_share_and_hold_every_file_once_in_order(tmp_path: Path) -> None:
    tree(tmp_path, {f"r{number % 3}/f{number:03}.py": b"#" * 900_000 for number in range(30)})
    source = open_source(f"code:{tmp_path}")
    shards = source.shards()
    assert len(shards) == 4
    assert all(shard.size_bytes is not None and shard.size_bytes <= TREE_SHARD_BYTES for shard in shards)
    rows, _ = read(source)
    paths = [f"{row['repository']}/{row['path']}" for row in rows]
    assert paths == sorted(paths)
    assert len(paths) == 30


def test_batches_are_within_the_limits(tmp_path: Path) -> None:
    tree(tmp_path, {f"a/{number}.py": b"" for number in range(BATCH_ROWS + 5)})
    tree(tmp_path, {f"a/{number}.none": b"" for number in range(BATCH_ROWS + 5)})
    source = open_source(f"code:{tmp_path}")
    batches = [batch for shard in source.shards() for batch in source.read(shard.locator)]
    assert sum(batch.rows.num_rows for batch in batches) == BATCH_ROWS + 5
    for batch in batches:
        assert batch.rows.num_rows <= BATCH_ROWS
        assert batch.rejections.num_rows <= BATCH_ROWS
        assert sum(len(value.as_py()) for value in batch.rows["content"]) <= BATCH_BYTES


def test_a_limit_gives_the_first_files(tmp_path: Path) -> None:
    tree(tmp_path, {f"a/{number:02}.py": "x" for number in range(20)})
    rows, _ = read(open_source(f"code:{tmp_path}"), limit=7)
    assert [row["path"] for row in rows] == [f"{number:02}.py" for number in range(7)]


def test_a_locator_stays_small_whatever_the_names(tmp_path: Path) -> None:
    folder = "/".join(["ä" * 100] * 4)
    tree(tmp_path, {f"{folder}/{number:04}{'é' * 100}.py": b"" for number in range(1_500)})
    shards = open_source(f"code:{tmp_path}").shards()
    assert sum(shard.rows or 0 for shard in shards) == 1_500
    assert len(shards) > 1
    assert all(len(shard.locator) < 2 * MAX_LOCATOR_BYTES for shard in shards)


def test_a_tree_has_the_same_locators_wherever_it_lies_and_any_change_gives_others(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"r/a.py": "1", "r/b.py": "2", "r/LICENSE": ISC}
    first = tree(tmp_path / "one" / "root", files)
    second = tmp_path / "two" / "root"
    shutil.copytree(first, second)
    sources = [CodeSource(str(first)), CodeSource(str(second))]
    assert sources[0].shards() == sources[1].shards()
    assert sources[0].identity() == sources[1].identity()
    before, identity = sources[0].shards(), sources[0].identity()
    assert str(tmp_path) not in json.dumps([shard.locator for shard in before])

    def changed() -> bool:
        return sources[0].shards() != before and sources[0].identity() != identity

    os.utime(first / "r/a.py", ns=(1, 1))
    assert changed(), "another time"
    shutil.copystat(second / "r/a.py", first / "r/a.py")
    assert not changed()
    (first / "r/c.py").write_text("3")
    assert changed(), "another file"
    (first / "r/c.py").unlink()


@needs_git
def test_another_commit_gives_another_locator_and_a_changed_time_does_not(tmp_path: Path) -> None:
    commit(tmp_path / "r", {"a.py": "1"})
    source = CodeSource(str(tmp_path))
    before = source.shards()
    os.utime(tmp_path / "r/a.py", ns=(1, 1))
    assert source.shards() == before
    commit(tmp_path / "r", {})
    assert source.shards() != before


def test_the_order_does_not_depend_on_the_process(tmp_path: Path) -> None:
    tree(tmp_path, {f"{name}/x.py": name for name in "cabed"})
    tree(tmp_path, {"c/package.json": '{"name": "c", "license": "(MIT OR Apache-2.0 OR ISC OR Zlib)"}'})
    code = (
        "import sys; from stackfim.pipeline.sources import open_source;"
        "print([s.locator for s in open_source(sys.argv[1]).shards()])"
    )
    root = str(Path(__file__).parents[4])
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code, f"code:{tmp_path}"],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": root},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]


def test_a_pickled_source_is_small_and_reads_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, {f"a/{number}.py": "x" for number in range(500)})
    monkeypatch.chdir(tmp_path.parent)
    source = CodeSource(tmp_path.name)
    (shard,) = source.shards()
    pickled = pickle.dumps(source)
    assert len(pickled) < 1_000
    monkeypatch.chdir("/")
    assert sum(batch.rows.num_rows for batch in pickle.loads(pickled).read(shard.locator)) == 500


# What goes wrong


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    for name, message in [("missing", "does not exist"), ("file", "is not a folder"), ("empty", "holds no file")]:
        with pytest.raises(SourceError, match=f"{name} {message}; expected a folder"):
            open_source(f"code:{tmp_path / name}").shards()


def test_a_folder_that_goes_away_is_an_error_when_it_is_read(tmp_path: Path) -> None:
    tree(tmp_path / "root", {"a.py": "1"})
    source = open_source(f"code:{tmp_path / 'root'}")
    (shard,) = source.shards()
    shutil.rmtree(tmp_path / "root")
    with pytest.raises(SourceUnavailable, match="not a folder any more"):
        list(source.read(shard.locator))


def test_metadata_that_leads_out_of_the_tree_or_is_not_a_file_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(UNLICENSE)
    root = tree(
        tmp_path / "root",
        {
            "a/package.json": '{"name": "a", "license": "SEE LICENSE IN ../../secret"}',
            "a/x.js": "1",
            "b/x.py": "1",
            "c/Cargo.toml": '[package]\nname = "c"\nlicense-file = "\\u0000"',
            "c/x.rs": "1",
        },
    )
    (root / "b" / "LICENSE").symlink_to(tmp_path / "secret")
    os.mkfifo(root / "b" / "pyproject.toml")
    (root / "b" / "Cargo.toml").mkdir()
    found = described(root)
    assert [found[name][2] for name in ("a: x.js", "b: x.py", "c: x.rs")] == [[], [], []]


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "pyproject.toml",
                "package.json",
                "Cargo.toml",
                "pom.xml",
                "go.mod",
                "LICENSE",
                ".git/HEAD",
                ".git/config",
                "a-1.dist-info/METADATA",
                "a-1.dist-info/RECORD",
            ]
        ),
        st.binary(max_size=120) | st.text(max_size=120).map(lambda text: text.encode("utf-8", "surrogatepass")),
        max_size=5,
    )
)
def test_a_source_file_is_a_row_whatever_the_metadata_beside_it_holds(files: dict[str, bytes]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        tree(Path(folder), {**{f"r/{name}": data for name, data in files.items()}, "r/x.py": "kept"})
        rows, _ = read(open_source(f"code:{folder}"))
    assert b"kept" in [row["content"] for row in rows]
