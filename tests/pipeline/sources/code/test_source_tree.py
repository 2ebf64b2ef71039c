"""What is listed of a folder: of git work trees the commit that is recorded, of others no dependencies and no outputs."""

import os
import shutil
from pathlib import Path

import pytest

from stackfim.pipeline.sources import SourceError, open_source
from stackfim.pipeline.sources.code.source import CodeSource
from tests.pipeline.sources.code.test_source import (
    ISC,
    UNLICENSE,
    commit,
    described,
    git,
    needs_git,
    read,
    reasons,
    tree,
)


def paths(folder: Path, *, work_tree: bool = False) -> list[str]:
    rows, _ = read(CodeSource(str(folder), work_tree))
    return sorted(f"{row['repository']}: {row['path']}" for row in rows)


# Git work trees


@needs_git
def test_only_tracked_files_are_read_as_they_are_in_the_commit(tmp_path: Path) -> None:
    repository = tmp_path / "r"
    head = commit(
        repository, {"src/a.py": "committed\n", "gone.py": "gone = 1\n", "LICENSE": ISC, ".gitignore": "build/\n"}
    )
    tree(repository, {"src/a.py": "changed\n", "untracked.py": "", "build/b.py": "", "node_modules/d/d.js": ""})
    tree(repository, {"LICENSE": UNLICENSE, "staged.py": ""})
    git(repository, "add", "staged.py")
    (repository / "gone.py").unlink()
    rows, _ = read(open_source(f"code:{repository}"))
    assert {row["path"]: row["content"] for row in rows} == {"gone.py": b"gone = 1\n", "src/a.py": b"committed\n"}
    assert {(row["repository"], row["revision"], *row["licenses"]) for row in rows} == {("owner/name", head, "ISC")}


@needs_git
def test_what_is_tracked_counts_whatever_its_name(tmp_path: Path) -> None:
    commit(tmp_path, {"build/a.py": "1", "dist/b.py": "1", "target/c.py": "1", ".gitignore": "*.py\n"})
    assert paths(tmp_path) == [f"owner/name: {name}" for name in ("build/a.py", "dist/b.py", "target/c.py")]


@needs_git
def test_files_of_the_work_tree_are_read_on_request_without_a_revision(tmp_path: Path) -> None:
    commit(tmp_path, {"a.py": "1", ".gitignore": "ignored/\n*.log.py\n!keep.log.py\n"})
    tree(tmp_path, {"a.py": "2", "new.py": "", "ignored/b.py": "", "x.log.py": "", "keep.log.py": ""})
    rows, _ = read(CodeSource(str(tmp_path), work_tree=True))
    found = {row["path"]: (row["content"], row["revision"], row["repository"]) for row in rows}
    assert sorted(found) == ["a.py", "keep.log.py", "new.py"]
    assert found["a.py"] == (b"2", "", "owner/name")


@needs_git
def test_a_folder_of_a_work_tree_is_read_from_its_commit_with_its_license(tmp_path: Path) -> None:
    head = commit(tmp_path / "r", {"LICENSE": ISC, "packages/one/src/a.py": "1", "packages/two/b.py": "1"})
    tree(tmp_path, {"r/packages/one/untracked.py": "", "r/ignored/x.py": ""})
    assert described(tmp_path / "r/packages/one") == {
        "owner/name: packages/one/src/a.py": ("Python", head, ["ISC"]),
    }
    assert described(tmp_path / "r/ignored") == {"ignored: x.py": ("Python", "", [])}


@needs_git
def test_a_submodule_is_a_repository_of_its_own(tmp_path: Path) -> None:
    inner = commit(tmp_path / "inner", {"LICENSE": UNLICENSE, "i.py": "1"}, "https://example.org/other/inner.git")
    outer = commit(tmp_path / "outer", {"LICENSE": ISC, "o.py": "1"})
    git(tmp_path / "outer", "submodule", "--quiet", "add", str(tmp_path / "inner"), "libs/inner")
    git(tmp_path / "outer/libs/inner", "remote", "set-url", "origin", "git@example.org:other/inner.git")
    outer = commit(tmp_path / "outer", {})
    tree(tmp_path / "outer/libs/inner", {"untracked.py": ""})
    assert described(tmp_path / "outer") == {
        "owner/name: o.py": ("Python", outer, ["ISC"]),
        "other/inner: i.py": ("Python", inner, ["Unlicense"]),
    }


@needs_git
def test_many_repositories_and_linked_work_trees_are_read_each_from_its_own_commit(tmp_path: Path) -> None:
    heads = [commit(tmp_path / name, {"a.py": name}, f"https://example.org/o/{name}.git") for name in ("x", "y", "z")]
    git(tmp_path / "x", "worktree", "add", "-q", "-b", "other", str(tmp_path / "w"))
    rows, _ = read(open_source(f"code:{tmp_path}"))
    assert [(row["repository"], row["revision"], row["content"]) for row in rows] == [
        ("o/x", heads[0], b"x"),
        ("o/x", heads[0], b"x"),
        ("o/y", heads[1], b"y"),
        ("o/z", heads[2], b"z"),
    ]


@needs_git
def test_links_in_a_commit_are_followed_for_licenses_and_left_out_or_rejected_as_files(tmp_path: Path) -> None:
    tree(tmp_path, {"doc/TEXT": ISC, "a.py": "1"})
    for name, target in {"LICENSE": "doc/TEXT", "b.py": "a.py", "out.py": "/etc/passwd", "up.py": "../x.py"}.items():
        (tmp_path / name).symlink_to(target)
    (tmp_path / "circle.py").symlink_to("circle.py")
    head = commit(tmp_path, {})
    assert described(tmp_path) == {"owner/name: a.py": ("Python", head, ["ISC"])}
    found = {path: reason for path, reason in reasons(tmp_path).items() if path.endswith(".py")}
    assert found == dict.fromkeys(("circle.py", "out.py", "up.py"), "symlink_outside")


@needs_git
def test_each_kind_of_tracked_file_that_cannot_be_a_row_has_its_reason(tmp_path: Path) -> None:
    head = commit(
        tmp_path,
        {
            "big.py": b"#" * ((1 << 20) + 1),
            "binary.py": b"a\0b",
            "latin.py": b"\xe9\n",
            "what.xyz": "?",
            "run": "#!/bin/sh\ntrue\n",
            os.fsdecode(b"n\xe9.py"): "1",
            "new\nline\tand tab.py": "1",
        },
    )
    assert described(tmp_path) == {
        "owner/name: new\nline\tand tab.py": ("Python", head, []),
        "owner/name: run": ("Shell", head, []),
    }
    assert reasons(tmp_path) == {
        "big.py": "oversized",
        "binary.py": "binary",
        "latin.py": "undecodable",
        "n\\xe9.py": "path_not_utf8",
        "what.xyz": "language_unknown",
    }


@needs_git
def test_a_repository_without_a_commit_or_with_missing_objects_has_no_revision(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "new")
    tree(tmp_path / "new", {"a.py": "1", "node_modules/b.js": "1"})
    commit(tmp_path / "broken", {"c.py": "1"})
    shutil.rmtree(tmp_path / "broken/.git/objects")
    (tmp_path / "broken/.git/objects").mkdir()
    assert described(tmp_path) == {"new: a.py": ("Python", "", []), "owner/name: c.py": ("Python", "", [])}


@needs_git
def test_nothing_that_a_repository_configures_is_started_or_replaces_an_object(tmp_path: Path) -> None:
    repository, mark = tmp_path / "r", tmp_path / "started"
    commit(repository, {"a.py": "true\n", "b.py": "other\n"})
    for key in (
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "diff.external",
        "filter.x.smudge",
        "alias.cat-file",
    ):
        git(repository, "config", key, f"touch {mark}; false")
    ids = [git(repository, "rev-parse", f"HEAD:{name}.py") for name in "ab"]
    git(repository, "replace", *ids)
    rows, _ = read(open_source(f"code:{repository}"))
    assert [row["content"] for row in rows] == [b"true\n", b"other\n"]
    assert not mark.exists()


@needs_git
def test_variables_that_point_git_elsewhere_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(tmp_path / "r", {"a.py": "1"})
    commit(tmp_path / "elsewhere", {"b.py": "1"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere/.git"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "elsewhere/.git/objects"))
    assert paths(tmp_path / "r") == ["owner/name: a.py"]


@needs_git
def test_without_the_git_command_a_work_tree_is_refused_and_its_files_can_still_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(tmp_path / "r", {"a.py": "1"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match=r"r is a git work tree.*expected git to be installed, or --worktree"):
        open_source(f"code:{tmp_path}").shards()
    assert paths(tmp_path, work_tree=True) == ["owner/name: a.py"]


@needs_git
def test_the_address_of_a_repository_is_that_of_its_origin_without_secrets(tmp_path: Path) -> None:
    for number, url in enumerate(
        ("https://me:hunter2@example.org:8443/o/a.git", "git@example.org:o/b.git", "/srv/c.git")
    ):
        commit(tmp_path / str(number), {"a.py": "1"}, url)
    source = open_source(f"code:{tmp_path}")
    source.shards()
    assert source.identity()["repositories"] == {"o/a": "https://example.org/o/a", "o/b": "https://example.org/o/b"}


# Other folders


def test_installed_dependencies_and_outputs_are_left_out_and_packages_of_such_names_are_not(tmp_path: Path) -> None:
    left_out = (
        "node_modules/d/index.js",
        "app/node_modules/d/index.js",
        ".venv/lib/python3.12/site-packages/x.py",
        "venv/x.py",
        "myenv/x.py",
        ".tox/py/x.py",
        "build/lib/pkg/a.py",
        "dist/bundle.js",
        "target/debug/out.py",
        "__pycache__/x.py",
        "go/vendor/example.org/m/m.go",
        "php/vendor/a/A.php",
        "net/obj/Debug/A.cs",
    )
    kept = (
        "src/a.py",
        "pkg/build/__init__.py",
        "pkg/build/steps.py",
        "java/org/example/target/Target.java",
        "go/build/build.go",
        "rails/vendor/assets/own.js",
        "scripts/bin/run.py",
    )
    tree(tmp_path, dict.fromkeys((*left_out, *kept), "1"))
    tree(
        tmp_path,
        {"myenv/pyvenv.cfg": "", "go/vendor/modules.txt": "", "php/vendor/autoload.php": "", "net/a.csproj": ""},
    )
    rows, _ = read(open_source(f"code:{tmp_path}"))
    found = {os.path.join(row["repository"], row["path"]).removeprefix(f"{tmp_path.name}/") for row in rows}
    assert found == set(kept)


def test_ignore_files_hold_in_folders_without_git_and_the_nearest_counts(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            "p/.gitignore": "*.gen.py\n/only-here\n!kept.gen.py\nsub/*.txt.py\n\\#a.py\n# comment\n[\n!\n",
            "p/a.gen.py": "",
            "p/kept.gen.py": "",
            "p/only-here/x.py": "",
            "p/q/only-here/x.py": "",
            "p/q/.gitignore": "!b.gen.py\n",
            "p/q/b.gen.py": "",
            "p/q/c.gen.py": "",
            "p/sub/x.txt.py": "",
            "p/#a.py": "",
            "o/a.gen.py": "",
        },
    )
    assert paths(tmp_path) == ["o: a.gen.py", "p: kept.gen.py", "p: q/b.gen.py", "p: q/only-here/x.py"]


def test_folders_of_installed_packages_and_a_named_dependency_folder_are_read_whole(tmp_path: Path) -> None:
    site = tree(
        tmp_path / "lib/site-packages",
        {
            "a/build/lib/b.py": "",
            "a/node_modules/c.py": "",
            "a/.gitignore": "*.py\n",
            "a-1.dist-info/METADATA": "Name: a\nVersion: 1\n\n",
        },
    )
    assert len(paths(site)) == len(paths(tmp_path)) == 2
    tree(tmp_path, {"app/node_modules/m/package.json": '{"name": "m"}', "app/node_modules/m/dist/m.js": ""})
    assert paths(tmp_path / "app/node_modules") == ["m: dist/m.js", "m: package.json"]
    assert paths(tmp_path / "app/node_modules/m") == ["m: dist/m.js", "m: package.json"]


def test_ignore_rules_that_would_backtrack_are_no_rules(tmp_path: Path) -> None:
    tree(tmp_path, {".gitignore": "*a" * 40 + "b\n" + "**/a/" * 40 + "b\n", "a" * 200 + ".py": ""})
    assert len(paths(tmp_path)) == 1


def test_an_sdist_has_the_version_of_its_metadata_and_its_docs_are_a_part_of_it(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            "thing-1.5/PKG-INFO": "Metadata-Version: 2.1\nName: thing\nVersion: 1.5\nLicense: MIT\n\nText.\n",
            "thing-1.5/setup.py": "1",
            "thing-1.5/thing.egg-info/PKG-INFO": "Metadata-Version: 2.1\nName: thing\nVersion: 1.5\n\n",
            "thing-1.5/thing/a.py": "1",
            "thing-1.5/thing/parts/LICENSE": ISC,
            "thing-1.5/thing/parts/b.py": "1",
            "thing-1.5/docs/license.md": "# License\n",
            "thing-1.5/docs/conf.py": "1",
            "thing-1.5/docs/package.json": '{"name": "site"}',
        },
    )
    found = described(tmp_path)
    assert {name: facts for name, facts in found.items() if name.endswith(".py")} == {
        "thing: setup.py": ("Python", "1.5", ["MIT"]),
        "thing: thing/a.py": ("Python", "1.5", ["MIT"]),
        "thing: thing/parts/b.py": ("Python", "1.5", ["ISC"]),
        "thing: docs/conf.py": ("Python", "1.5", ["MIT"]),
    }


def test_the_folder_that_is_written_is_left_out(tmp_path: Path) -> None:
    tree(tmp_path, {"a.py": "1", "out/b.py": "1", "outer/c.py": "1"})
    source = CodeSource(str(tmp_path), leave_out=str(tmp_path / "out"))
    rows, _ = read(source)
    assert sorted(os.path.join(row["repository"], row["path"]) for row in rows) == [
        "outer/c.py",
        os.path.join(tmp_path.name, "a.py"),
    ]


@needs_git
def test_a_hostile_git_folder_ends_nothing(tmp_path: Path) -> None:
    commit(tmp_path / "r", {"a.py": "1"})
    (tmp_path / "r/.git/config").write_text("[core\n\x00 broken")
    (tmp_path / "s").mkdir()
    (tmp_path / "s/.git").write_text("gitdir: /nowhere/at/all\n")
    tree(tmp_path, {"s/b.py": "1"})
    assert len(paths(tmp_path)) == 2
