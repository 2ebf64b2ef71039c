"""Head commit and name of git repositories, compared with what git itself says."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.pipeline.sources.code.git_folder import head_commit, name_of_address, origin_name

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "x.py").write_text("x = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "x")
    return folder


@needs_git
def test_the_head_is_found_on_a_branch_detached_and_packed(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r")
    commit = git(folder, "rev-parse", "HEAD")
    assert head_commit(str(folder / ".git")) == commit
    git(folder, "pack-refs", "--all")
    assert not (folder / ".git/refs/heads/main").exists()
    assert head_commit(str(folder / ".git")) == commit
    git(folder, "checkout", "-q", "--detach")
    assert head_commit(str(folder / ".git")) == commit


@needs_git
def test_another_work_tree_and_a_submodule_have_their_own_head(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r")
    git(folder, "remote", "add", "origin", "https://example.org/owner/name.git")
    git(folder, "worktree", "add", "-q", "-b", "other", str(tmp_path / "w"))
    git(tmp_path / "w", "commit", "-q", "--allow-empty", "-m", "y")
    assert head_commit(str(tmp_path / "w/.git")) == git(tmp_path / "w", "rev-parse", "HEAD")
    assert head_commit(str(tmp_path / "w/.git")) != head_commit(str(folder / ".git"))
    assert origin_name(str(tmp_path / "w/.git")) == "owner/name"

    outer = repository(tmp_path / "outer")
    git(outer, "submodule", "--quiet", "add", str(folder), "inner")
    assert (outer / "inner/.git").is_file()
    assert head_commit(str(outer / "inner/.git")) == git(folder, "rev-parse", "HEAD")


@needs_git
def test_a_repository_without_a_commit_or_an_origin_has_neither(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "r")
    assert head_commit(str(tmp_path / "r/.git")) == ""
    assert origin_name(str(tmp_path / "r/.git")) == ""


@needs_git
def test_the_name_of_the_origin_is_read_as_git_wrote_it(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r")
    git(folder, "remote", "add", "upstream", "https://example.org/else/where.git")
    git(folder, "remote", "add", "origin", "https://me:hunter2@example.org/owner/name.git")
    assert origin_name(str(folder / ".git")) == "owner/name"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://example.org/owner/name.git", "owner/name"),
        ("https://user:token@example.org/owner/name", "owner/name"),
        ("https://token@example.org:8443/group/sub/name.git/", "group/sub/name"),
        ("git@example.org:owner/name.git", "owner/name"),
        ("example.org:owner/name", "owner/name"),
        ("ssh://git@example.org:22/owner/name.git", "owner/name"),
        ("https://example.org/owner/name.git?token=hunter2#hunter2", "owner/name"),
        ("/srv/git/name.git", ""),
        ("../name", ""),
        ("file:///srv/git/name.git", ""),
        ("C:\\work\\name", ""),
        ("https://example.org/", ""),
        ("https://example.org/me:hunter2@other/name", ""),
        ("https://[broken/owner/name", ""),
        ("", ""),
    ],
)
def test_names_of_addresses_have_no_credentials_and_no_local_paths(address: str, name: str) -> None:
    assert name_of_address(address) == name


@given(st.text(max_size=60))
def test_any_address_is_survived(address: str) -> None:
    name = name_of_address(address)
    assert not set(name) & set("@:?#\\ \n")


@pytest.mark.parametrize(
    "head",
    [b"", b"\xff\xfe", b"ref: refs/heads/../../../secret", b"ref: ../secret", b"ref: refs/heads/none", b"x" * 9_999],
)
def test_a_broken_or_hostile_head_gives_no_commit(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "secret").write_text("a" * 40)
    (tmp_path / "r/.git/refs/heads").mkdir(parents=True)
    (tmp_path / "r/.git/HEAD").write_bytes(head)
    assert head_commit(str(tmp_path / "r/.git")) == ""


@given(st.binary(max_size=200))
def test_a_git_file_with_anything_in_it_is_survived(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ".git"
        path.write_bytes(data)
        assert head_commit(str(path)) == ""
        assert origin_name(str(path)) == ""
        path.unlink()
        path.mkdir()
        for name in ("HEAD", "config", "packed-refs", "commondir"):
            (path / name).write_bytes(data)
        head_commit(str(path))
        origin_name(str(path))
