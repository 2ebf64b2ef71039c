"""File, options and --set: which wins, what is a value, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from stackfim.pipeline.config.loading import Option, load_config, parse_setting
from stackfim.pipeline.config.usage_error import UsageError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.toml"
    path.write_text("seed = 1\nlimit = 10\n[split]\nmax_slots = 3\nlines_per_slot = 9\n")
    return path


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("split.max_slots=4", ("split", "max_slots"), 4),
        ("score.model=none", ("score", "model"), "none"),
        ("score.model=/models/refact 1.6b", ("score", "model"), "/models/refact 1.6b"),
        ('score.model="4"', ("score", "model"), "4"),
        ("languages=['python', 'go']", ("languages",), ["python", "go"]),
        ("languages=python,go", ("languages",), "python,go"),
        ("dedup.near = false", ("dedup", "near"), False),
        ('filters.limits."*".min_chars=3', ("filters", "limits", "*", "min_chars"), 3),
        (
            "split.category_weights={empty=1, single_line=2}",
            ("split", "category_weights"),
            {"empty": 1, "single_line": 2},
        ),
        (
            "repository_url=https://git.example/{repository}?a=b",
            ("repository_url",),
            "https://git.example/{repository}?a=b",
        ),
        ("opt_out=", ("opt_out",), ""),
        ("seed=1\nlimit=2", ("seed",), "1\nlimit=2"),
    ],
)
def test_a_setting_is_a_key_and_a_value_of_toml_or_else_a_text(text: str, key: tuple[str, ...], value: Any) -> None:
    assert parse_setting(text) == (key, value)


@pytest.mark.parametrize("text", ["seed", "=4", "a b=1", "seed\nlimit=3", "split.=1", "[split]max_slots=1", ""])
def test_a_setting_without_a_key_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_setting(text)
    assert str(raised.value) == f"--set {text}: expected KEY=VALUE, such as split.max_slots=4"


def test_settings_win_over_the_file_and_later_ones_over_earlier(file: Path) -> None:
    config = load_config(file, ["split.max_slots=4", "seed=5", "split.max_slots=6"])
    assert (config.seed, config.limit, config.split.max_slots, config.split.lines_per_slot) == (5, 10, 6, 9)


def test_options_win_over_the_file(file: Path) -> None:
    config = load_config(file, [], [Option("--limit", "limit", 4), Option("--seed", "seed", None)])
    assert (config.seed, config.limit) == (1, 4)


def test_an_option_reaches_into_a_table(file: Path) -> None:
    config = load_config(file, [], [Option("--filter-scores", "filters.scores", True)])
    assert config.filters.scores


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("score.model=tiny", "score.model"),
        ("score={dtype='float32'}", "score.model"),
        ("score.model.name=3", "score.model.name"),
    ],
)
def test_an_option_and_a_setting_of_the_same_key_are_refused(setting: str, key: str) -> None:
    with pytest.raises(UsageError) as raised:
        load_config(None, [setting], [Option("--seed", "seed", 1), Option("--model", "score.model", "none")])
    assert str(raised.value) == f"--model and --set {setting} both set {key}; give one of them"


def test_a_table_that_is_set_replaces_the_files(file: Path) -> None:
    assert load_config(file, ["split={max_slots=2}"]).split.lines_per_slot == 40


def test_a_value_where_a_table_is_expected_is_told(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text("split = 3\n")
    with pytest.raises(UsageError, match=r"^split is a table, got 3$"):
        load_config(file, ["split.max_slots=2"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"seed = ", "Invalid value"),
        (b"seed = 1\nseed = 2\n", "overwrite"),
        (b"seed = \xff", "utf-8"),
        (b"seed = " + b"9" * 5_000, "limit"),
    ],
)
def test_a_file_that_is_no_toml_is_told(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_bytes(content)
    with pytest.raises(UsageError) as raised:
        load_config(tmp_path / "run.toml")
    assert str(raised.value).startswith(f"--config {tmp_path}/run.toml: expected a TOML file (")
    assert reason in str(raised.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none.toml: expected a TOML file \(No such file or directory\)$"):
        load_config(tmp_path / "none.toml")
