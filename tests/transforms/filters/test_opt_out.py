"""Opt-outs in the forms that people write, and the rows that they leave out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.transforms.filters.list_lines import ListLineError
from stackfim.transforms.filters.opt_out import opted_out, parse_opt_outs


@pytest.mark.parametrize(
    "line",
    [
        "owner/name",
        "Owner/Name",
        "- owner/name",
        "* [ ] owner/name",
        "- [x] `owner/name`,",
        "12. owner/name",
        "> owner/name",
        "\ufeffowner/name",
        "\u200bowner/name",
        '"owner/name",',
        "<https://github.com/owner/name>",
        "[see here](https://github.com/owner/name#readme)",
        "owner / name",
        "owner/name.git",
        "owner/name@main",
        "@owner/name",
        "owner/name # asked on 1 May",
        "owner/name // asked on 1 May",
        "owner/name ; asked on 1 May",
        "owner/name <!-- asked on 1 May -->",
        "github.com/owner/name",
        "www.github.com/owner/name/",
        "http://github.com/owner/name",
        "https://user:token@github.com/owner/name.git",
        "https://github.com/owner/name/tree/main",
        "https://github.com/owner/name/blob/main/src/a.py#L3-L9",
        "https://github.com/owner/name/pull/7/files?w=1",
        "https://github.com/owner/name?tab=readme-ov-file",
        "https://api.github.com/repos/owner/name",
        "https://raw.githubusercontent.com/owner/name/main/a.py",
        "https://gitlab.com/owner/name/-/tree/main",
        "https://bitbucket.org/owner/name/src/master/",
        "https://codeberg.org/owner/name/src/branch/main",
        "https://git.sr.ht/~owner/name",
        "https://owner.github.io/name/",
        "git@github.com:owner/name.git",
        "ssh://git@github.com/owner/name.git",
        "ssh://git@github.com:22/owner/name",
        "ssh://git@github.com:owner/name.git",
        "git://github.com/owner/name.git",
        "git+https://github.com/owner/name.git",
        "gh:owner/name",
        "github:owner/name",
        "repo:owner/name",
        "pkg:github/owner/name@v1.0",
        "gitlab.example.com/owner/name",
    ],
)
def test_a_repository_is_found_however_it_is_written(line: str) -> None:
    assert parse_opt_outs(line) == {"owner/name"}


@pytest.mark.parametrize(
    "line",
    [
        "owner",
        "@Owner",
        "- @owner",
        "owner/",
        "owner/*",
        "user:owner",
        "https://github.com/owner",
        "https://github.com/owner/",
        "https://github.com/orgs/owner/repositories",
        "https://github.com/users/owner",
        "github.com/owner",
    ],
)
def test_an_owner_is_found_however_it_is_written(line: str) -> None:
    assert parse_opt_outs(line) == {"owner"}


@pytest.mark.parametrize(
    "line",
    [
        "two words",
        "me@example.org",
        "github.com",
        "https://",
        "https://github.com/",
        "owner/..",
        "owner/name,2024",
        "?",
    ],
)
def test_a_line_that_names_nobody_is_an_error_with_its_number(line: str) -> None:
    with pytest.raises(ListLineError, match=r"line 3 names no repository and no owner: "):
        parse_opt_outs(f"# ours\nowner/name\n{line}\n")


def test_comments_rules_and_blank_lines_name_nobody() -> None:
    text = "\ufeff# Opt-outs\r\n\r\n// asked by mail\n; and by post\n---\n<!-- none -->\n[\n]\n"
    assert parse_opt_outs(text) == frozenset()


def test_rows_are_left_out_by_repository_owner_and_group_whatever_names_them() -> None:
    names = parse_opt_outs("owner/one\nsomeone\ngitlab.com/group/sub\nhttps://github.com/o/two\n")
    rows = {
        "owner/one": True,
        "Owner/One": True,
        "owner/ones": False,
        "someone/x": True,
        "someone": True,
        "@someone/x": True,
        "x/someone": False,
        "group/sub/name": True,
        "group/sub": True,
        "group/name": False,
        "github.com/o/two": True,
        "github.com/o/two/v2": True,
        "github.com/someone/x": True,
        "github.com/o/three": False,
        "": False,
    }
    assert dict(zip(rows, opted_out(rows, names), strict=True)) == rows


@given(st.text(max_size=80))
def test_any_text_is_names_or_an_error(text: str) -> None:
    try:
        names = parse_opt_outs(text)
    except ListLineError as error:
        assert str(error).startswith("line ")
    else:
        assert all(name and name == name.strip() for name in names)
