"""What is wrong with a configuration is told in our words: key, value and what was expected, all of it and in order."""

import json
import math
from collections.abc import Callable
from datetime import date
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stackfim.pipeline.config.keys import KeyPath, dotted, known_keys
from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.config.validation import config_of
from stackfim.pipeline.local.terminal import visible

FOREIGN_WORDS = (
    *("Input should", "Extra inputs", "not permitted", "keyword argument", "Value error", "Field required"),
    *("validation error", "pydantic", "Invalid JSON"),
)


def refusal(values: dict[str, Any]) -> str:
    with pytest.raises(UsageError) as raised:
        config_of(values)
    return str(raised.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"seed": "x"}, "seed is a whole number, got 'x'"),
        ({"seed": True}, "seed is a whole number, got True"),
        ({"seed": 1.0}, "seed is a whole number, got 1.0"),
        ({"seed": -1}, "seed is a whole number from 0, got -1"),
        ({"limit": 0}, "limit is a whole number from 1, got 0"),
        ({"validation_share": 0.6}, "validation_share is a number, from 0 to 0.5, got 0.6"),
        ({"validation_share": math.nan}, "validation_share is a number, from 0 to 0.5, got nan"),
        ({"validation_share": "1%"}, "validation_share is a number, got '1%'"),
        ({"keep_work": 1}, "keep_work is true or false, got 1"),
        ({"licenses": ["MIT"]}, "licenses is a text, got ['MIT']"),
        ({"languages": "python"}, "languages is a list of texts, got 'python'"),
        ({"languages": []}, "languages is a list with at least one language, got []"),
        ({"languages": ["go", 3]}, "languages[1] is a text, got 3"),
        ({"grammars": []}, "grammars is a list with some of official, legacy, got []"),
        ({"grammars": ["new"]}, "grammars[0] is one of official, legacy, got 'new'"),
        ({"pii": "hide"}, "pii is one of keep, redact, drop, got 'hide'"),
        ({"columns": {"path": 3}}, "columns.path is a text, got 3"),
        ({"split": []}, "split is a table, got []"),
        ({"split": {"max_slots": 0}}, "split.max_slots is a whole number from 1, got 0"),
        ({"split": {"limits": {"max_lines": 1}}}, "split.limits.max_lines is a whole number from 2, got 1"),
        ({"split": {"half_written": {"share": 2}}}, "split.half_written.share is a number, from 0 to 1, got 2.0"),
        (
            {"split": {"half_written": {"count_weights": [1, -1]}}},
            "split.half_written.count_weights[1] is a number, 0 or more, got -1.0",
        ),
        (
            {"split": {"half_written": {"count_weights": 3}}},
            "split.half_written.count_weights is a list of numbers, got 3",
        ),
        (
            {"split": {"kind_weights": {"mid_token": -1}}},
            "split.kind_weights.mid_token is a number, 0 or more, got -1.0",
        ),
        ({"dedup": {"preset": "fast"}}, "dedup.preset is one of default, stack-v1, starcoder, got 'fast'"),
        ({"dedup": {"threshold": 0}}, "dedup.threshold is a number, above 0 and at most 1, got 0.0"),
        ({"dedup": {"scope": "file"}}, "dedup.scope is one of language, global, got 'file'"),
        (
            {"dedup": {"rows": 8}},
            "dedup.rows: bands * rows is at most the number of permutations, got 36 * 8 = 288 with 252 permutations",
        ),
        ({"filters": {"max_size_bytes": 0}}, "filters.max_size_bytes is a whole number from 1, got 0"),
        ({"filters": {"license_policy": "some"}}, "filters.license_policy is one of all, any, got 'some'"),
        (
            {"filters": {"limits": {"Jupyter Notebook": {"min_chars": -1}}}},
            'filters.limits."Jupyter Notebook".min_chars is a number, 0 or more, got -1.0',
        ),
        ({"score": {"layouts": ["psm", "psm"]}}, "score.layouts are some of psm, spm, each once, got ['psm', 'psm']"),
        ({"score": {"layouts": []}}, "score.layouts are some of psm, spm, each once, got []"),
        ({"score": {"dtype": "int8"}}, "score.dtype is one of auto, float32, bfloat16, float16, got 'int8'"),
        ({"score": {"context_tokens": 0}}, "score.context_tokens is a whole number from 1, got 0"),
        ({"score": {"actions": {"trivial": "keep"}}}, "score.actions.trivial is one of drop, label, got 'keep'"),
        (
            {"score": {"limits": {"empty": {"languages": {"C#": {"max_nll": "3"}}}}}},
            "score.limits.empty.languages.\"C#\".max_nll is a number, 0 or more, got '3'",
        ),
        ({"benchmarks": {}}, "benchmarks is a list of tables, got {}"),
        ({"benchmarks": [{"format": "mbpp"}]}, "benchmarks[0].path is missing; expected a text"),
        (
            {"benchmarks": [{"path": "x", "format": "apps"}]},
            "benchmarks[0].format is one of human-eval, human-eval-infilling, mbpp, got 'apps'",
        ),
        (
            {"benchmarks": [{"path": "x"}]},
            "benchmarks[0]: texts and name are needed without a format (human-eval, human-eval-infilling, mbpp), "
            "got [] and None",
        ),
        (
            {"benchmarks": [{"path": "x", "name": "id", "texts": []}]},
            "benchmarks[0].texts and name are needed without a format (human-eval, human-eval-infilling, mbpp), "
            "got [] and 'id'",
        ),
        (
            {"repository_url": "https://git.example"},
            "repository_url is an address with {repository} in it, such as https://github.com/{repository}, "
            "got 'https://git.example'",
        ),
    ],
)
def test_a_wrong_value_is_told_with_its_key_and_what_was_expected(values: dict[str, Any], message: str) -> None:
    assert refusal(values) == message


@pytest.mark.parametrize(
    ("values", "key", "meant"),
    [
        ({"seeed": 1}, "seeed", "seed"),
        ({"dedup": {"treshold": 0.8}}, "dedup.treshold", "dedup.threshold"),
        ({"split": {"half_writen": {}}}, "split.half_writen", "split.half_written"),
        ({"split": {"half_written": {"shares": 1}}}, "split.half_written.shares", "split.half_written.share"),
        ({"threshold": 0.8}, "threshold", "dedup.threshold"),
        ({"split": {"seed": 3}}, "split.seed", "seed"),
        ({"split": {"context_bytes": 3}}, "split.context_bytes", "context_bytes"),
        ({"split": {"max_lines": 3}}, "split.max_lines", "split.limits.max_lines"),
        ({"benchmarks": [{"path": "x", "layout": "mbpp"}]}, "benchmarks[0].layout", "benchmarks.format"),
        ({"zebra": 3}, "zebra", None),
    ],
)
def test_an_unknown_key_is_told_with_the_one_that_was_meant(
    values: dict[str, Any], key: str, meant: str | None
) -> None:
    message = refusal(values)
    suggestion = f" (did you mean {meant}?)" if meant is not None else ""
    assert f"{key}: no such key{suggestion}; the keys " in message


def test_an_unknown_key_is_told_with_the_keys_of_its_table() -> None:
    assert refusal({"split": {"limits": {"lines": 3}}}).endswith(
        "the keys of [split.limits] are max_lines, max_chars, newline_in_middle_share"
    )
    assert "the keys of [dedup] are preset, near, threshold" in refusal({"dedup": {"x": 3}})
    assert "the keys at the top are languages, grammars, licenses" in refusal({"x": 3})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"languages": ["pyton"]},
            "languages: no such language: 'pyton' (did you mean Python?); expected one of Python,",
        ),
        ({"columns": {"contents": "text"}}, "columns.contents: no such column of a row (did you mean content?)"),
        ({"comments_language": "xx"}, "comments_language is one of any, ar,"),
        (
            {"filters": {"switched_off": ["sizes"]}},
            "filters.switched_off: no such filter: 'sizes' (did you mean size?)",
        ),
        (
            {"filters": {"limits": {"*": {"min_char": 3}}}},
            'filters.limits."*".min_char: no such limit (did you mean min_char',
        ),
        (
            {"filters": {"limits": {"Pyton": {"min_chars": 3}}}},
            "filters.limits.Pyton: no such language (did you mean Python?); expected one of *, ",
        ),
        (
            {"score": {"limits": {"empty": {"languages": {"Pyton": {"max_nll": 3}}}}}},
            "score.limits.empty.languages.Pyton: no such language (did you mean Python?); expected one of ",
        ),
        (
            {"split": {"category_weights": {"emty": 3}}},
            "split.category_weights.emty: no such category (did you mean empty?)",
        ),
        ({"split": {"kind_weights": {"x": 3}}}, "split.kind_weights.x: no such kind; expected one of after_statement,"),
        (
            {"split": {"half_written": {"operation_weights": {"x": 3}}}},
            "split.half_written.operation_weights.x: no such edit",
        ),
        ({"score": {"limits": {"empty": {"max_loss": 3}}}}, "score.limits.empty.max_loss: no such limit"),
        ({"score": {"limits": {"lines": {}}}}, "score.limits.lines: no such category; expected one of empty,"),
        ({"score": {"actions": {"boring": "drop"}}}, "score.actions.boring: no such reason; expected one of unlikely,"),
    ],
)
def test_an_unknown_name_is_told_with_the_known_ones(values: dict[str, Any], message: str) -> None:
    assert refusal(values).startswith(message)


def test_a_language_of_a_legacy_grammar_needs_it() -> None:
    assert refusal({"languages": ["R"]}) == (
        'languages has \'R\', which none of the grammars official can parse; expected grammars = ["official", "legacy"]'
    )


def test_all_that_is_wrong_is_told_in_the_order_of_the_file() -> None:
    message = refusal(
        {
            "score": {"dtype": "int8", "limits": {"lines": {}, "empty": {"max_nll": -1}}},
            "seeed": 1,
            "split": {"max_slots": 0, "max_slot": 1, "lines_per_slot": "x", "kind_weights": {"x": 1, "mid_token": -1}},
            "dedup": {"preset": "fast", "ngram": 0, "bands": 300},
            "benchmarks": [{"path": "x", "format": "mbpp"}, {"path": 3}],
            "filters": 3,
            "limit": 0,
        }
    )
    first, *lines = message.split("\n  ")
    assert first == "15 settings are wrong:"
    assert [line.partition(" ")[0].rstrip(":") for line in lines] == [
        "score.dtype",
        "score.limits.lines",
        "score.limits.empty.max_nll",
        "seeed",
        "split.max_slots",
        "split.max_slot",
        "split.lines_per_slot",
        "split.kind_weights.x",
        "split.kind_weights.mid_token",
        "dedup.preset",
        "dedup.ngram",
        "dedup.bands",
        "benchmarks[1].path",
        "filters",
        "limit",
    ]


def test_what_only_follows_from_another_wrong_value_is_not_told() -> None:
    values: dict[str, Any] = {"dedup": {"permutations": "800", "bands": 100, "rows": 8}}
    assert refusal(values) == "dedup.permutations is a whole number, got '800'"
    assert refusal({"split": {"kind_weights": {"x": 1}}}).count("kind_weights") == 1
    assert refusal({"languages": ["R"], "grammars": "legacy"}).count("\n") == 0


def test_dates_stand_for_their_text_and_paths_for_theirs(tmp_path: Path) -> None:
    assert config_of({"score": {"revision": date(2024, 5, 1)}}).score.revision == "2024-05-01"
    assert config_of({"licenses": tmp_path}).licenses == str(tmp_path)


@pytest.mark.parametrize("value", [b"bytes", object(), {1, 2}])
def test_values_that_toml_does_not_have_are_told(value: object) -> None:
    assert f"got a {type(value).__name__}" in refusal({"seed": value})


def test_text_that_is_no_unicode_is_told() -> None:
    assert refusal({"licenses": "/files/\udcff"}) == 'settings are Unicode text, got \'{"licenses": "/files/\\udcff\''


# -- whatever is put anywhere --

PLAIN_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | PLAIN_TEXT | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN_TEXT, inner, max_size=3),
    max_leaves=6,
)
KEYS = sorted(known_keys())
PATHS = st.sampled_from(KEYS) | st.tuples(st.sampled_from(KEYS), PLAIN_TEXT).map(lambda pair: (*pair[0][:-1], pair[1]))
BENCHMARK = {"path": "x", "name": "id", "texts": [["code"]]}


def placed(path: tuple[str, ...], value: Any) -> tuple[KeyPath, dict[str, Any]]:
    """Where a value is, and the configuration that has it there, in the first table where the key is one of a list."""
    first, *rest = path
    if first == "benchmarks" and rest:
        return (first, 0, *rest), {first: [BENCHMARK | {rest[0]: value}]}
    for key in reversed(path):
        value = {key: value}
    return path, value


@settings(max_examples=400)
@given(path=PATHS, value=VALUES)
def test_whatever_is_put_anywhere_passes_or_is_told_in_our_words(path: tuple[str, ...], value: Any) -> None:
    where, values = placed(path, value)
    try:
        config_of(values)
    except UsageError as error:
        assert dotted(where) in str(error)
        assert not [words for words in FOREIGN_WORDS if words in str(error)]


def to_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{to_toml(key)} = {to_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(to_toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool | int | float) else str(value)


@settings(max_examples=40)
@given(path=PATHS, value=VALUES)
def test_the_command_ends_with_2_and_the_same_words(
    here: Callable[..., CompletedProcess[str]],
    tmp_path_factory: pytest.TempPathFactory,
    path: tuple[str, ...],
    value: Any,
) -> None:
    where, values = placed(path, value)
    assume(where != ("score", "model"))  # the command is given --model, which wins over the file
    try:
        config_of(values)
    except UsageError:
        folder = tmp_path_factory.mktemp("run")
        file = folder / "run.toml"
        file.write_text("".join(f"{to_toml(key)} = {to_toml(item)}\n" for key, item in values.items()), "utf-8")
        done = here("build", f"parquet:{folder}", "--out", folder / "out", "--config", file)
        assert done.returncode == 2
        assert visible(dotted(where)) in done.stderr
        assert not [words for words in FOREIGN_WORDS if words in done.stderr]
        assert [path.name for path in folder.iterdir()] == ["run.toml"]
