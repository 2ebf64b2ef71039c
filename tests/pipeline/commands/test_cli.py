"""The command: help, wrong usage, settings, verify and show."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("build", "nowhere:/x", "--out", "o"), "expected hf://datasets"),
        (("build", "parquet:/no/such/folder", "--out", "o"), "/no/such/folder"),
        (("build", "code:/no/such/folder", "--out", "o"), "/no/such/folder"),
        (("build", "parquet:{source}", "--out", "o", "--languages", "klingon"), "klingon"),
        (("build", "parquet:{source}", "--out", "o", "--licenses", "/no/list"), "/no/list"),
        (("build", "parquet:{source}", "--out", "o", "--opt-out", "/no/list"), "/no/list"),
        (("build", "parquet:{source}", "--out", "o", "--workers", "0"), "workers"),
        (("build", "parquet:{source}", "--out", "o", "--nonsense"), "nonsense"),
        (("build", "parquet:{source}", "--out", "o", "--config", "/no/config"), "/no/config"),
        (("build", "parquet:{source}", "--out", "o", "--set", "split"), "--set split: expected KEY=VALUE"),
        (
            ("build", "parquet:{source}", "--out", "o", "--set", "split.max_slots=0"),
            "split.max_slots is a whole number",
        ),
        (("build", "parquet:{source}", "--out", "o", "--set", "languages=python"), "languages is a list of texts"),
        (("build", "parquet:{source}", "--out", "o", "--seed", "1", "--set", "seed=2"), "--seed and --set seed=2 both"),
        (
            ("mix", "parquet:{source}", "--chat", "c", "--out", "o", "--tokenizer", "t", "--set", "x=2"),
            "x: no such key",
        ),
        (("score", "{source}", "--out", "o", "--set", "score.dtype=int8"), "score.dtype is one of auto"),
        (("explain", "parquet:{source}", "--path", "p", "--set", "pii=hide"), "pii is one of keep, redact, drop"),
        (("explain", "parquet:{source}", "--path", "no/such/path"), "no/such/path"),
        (("purge", "/no/such/folder", "--opt-out", "/no/list", "--out", "o"), "/no/list"),
        (("render", "{source}", "--out", "o", "--format", "klingon"), "klingon"),
        (("render", "{source}", "--out", "o", "--tokenizer", "/no/tokenizer"), "/no/tokenizer"),
        (("calibrate", "/no/such/folder"), "no parquet shards"),
        (("build", "parquet:{source}", "--out", "o", "--", "--no_such_option=1"), "no_such_option"),
        (("build", "parquet:{source}", "--out", "o", "--", "--runner=DataflowRunner", "--project=p"), "cannot reach"),
        (("verify", "/no/such/folder"), "no parquet shards"),
        (("show", "/no/such/folder"), "no parquet shards"),
    ],
)
def test_wrong_usage_is_told_with_the_value_and_nothing_is_written(
    arguments: tuple[str, ...], expected: str, source_folder: Path, here: Run, tmp_path: Path
) -> None:
    done = here(*(argument.format(source=source_folder) for argument in arguments), cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--grammars", "--per-file", "--comments-language", "--layouts"])
def test_rare_settings_have_no_option(option: str, here: Run, tmp_path: Path) -> None:
    done = here("build", "parquet:x", "--out", "o", option, "1", cwd=tmp_path)
    assert done.returncode == 2
    assert "No such option" in done.stderr


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("seeed = 1", "seeed"),
        ("[split]\nmax_lines = 1", "split.limits.max_lines"),
        ("[split.kind_weights]\nnonsense = 1.0", "split.kind_weights.nonsense"),
        ("seed = 'x'", "seed"),
    ],
)
def test_a_wrong_configuration_names_the_key(
    text: str, key: str, source_folder: Path, here: Run, tmp_path: Path
) -> None:
    config = tmp_path / "run.toml"
    config.write_text(text)
    done = here("build", f"parquet:{source_folder}", "--out", tmp_path / "out", "--config", config)
    assert done.returncode == 2
    assert key in done.stderr
    assert not (tmp_path / "out").exists()


def test_direct_runner_means_the_runner_of_this_machine_and_the_first_line_says_so(
    source_folder: Path, stackfim: Run, tmp_path: Path
) -> None:
    spec = f"parquet:{source_folder}/part-0.parquet"
    done = stackfim("build", spec, "--out", tmp_path / "out", "--workers", 1, "--", "--runner=DirectRunner")
    assert done.returncode == 0, done.stderr
    assert "FnApiRunner" in "".join(done.stderr.splitlines()[:2])


def test_help_names_sources_and_exit_codes(here: Run) -> None:
    assert "Exit codes" in here("--help").stdout
    text = here("build", "--help").stdout
    for word in ("hf://", "parquet:", "code:", "--out", "--languages", "--workers", "--limit", "--set"):
        assert word in text


def test_help_comes_without_the_libraries_that_the_work_needs() -> None:
    code = "import sys; from stackfim.pipeline.commands.subcommands import app; app(standalone_mode=False); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "typer" in loaded
    assert not {"torch", "apache_beam", "pyarrow", "numpy", "pydantic", "tokenizers", "tree_sitter"} & loaded


@pytest.mark.parametrize("option", ["--limit", "--limit-first"])
def test_a_limit_reads_so_many_rows_only(option: str, source_folder: Path, stackfim: Run, tmp_path: Path) -> None:
    done = stackfim("build", f"parquet:{source_folder}", "--out", tmp_path / "out", option, 10, "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["counts"]["files_in"] == 10


def test_a_setting_bounds_the_places_of_a_file(source_folder: Path, stackfim: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    source = f"parquet:{source_folder}/part-0.parquet"
    done = stackfim("build", source, "--out", out, "--set", "split.max_slots=1", "--workers", 1)
    assert done.returncode == 0, done.stderr
    rows = [row for path in (out / "data").glob("*") for row in pq.read_table(path).to_pylist()]
    places = {(row["repository"], row["path"], row["group_id"]) for row in rows}
    assert len(places) == len({place[:2] for place in places}) > 3


def test_verify_finds_nothing_wrong_with_a_run(built: Path, stackfim: Run) -> None:
    done = stackfim("verify", built)
    assert done.returncode == 0, done.stdout
    assert " 0 violations" in done.stdout
    assert "checked without its tree" not in done.stdout


def test_verify_without_the_originals_checks_whole_files_and_says_what_it_left(built: Path, stackfim: Run) -> None:
    done = stackfim("verify", built, "--source", "none")
    assert done.returncode == 0, done.stdout
    assert "without its tree" in done.stdout


def test_verify_names_each_broken_row(built: Path, stackfim: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(built, broken)
    path = max((broken / "data").glob("train-*.parquet"), key=lambda path: path.stat().st_size)
    table = pq.read_table(path)
    rows = table.to_pylist()
    rows[3]["prefix"] += " "
    rows[4]["middle"] = rows[4]["middle"] + "x"
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    done = stackfim("verify", broken, "--json")
    assert done.returncode == 1
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {rows[3]["example_id"], rows[4]["example_id"]} <= {violation["example_id"] for violation in found}
    assert any(violation["invariant"] == "checksum" for violation in found)
    assert set(found[0]) == {"example_id", "invariant", "message"}


def test_show_prints_the_examples_asked_for(built: Path, here: Run) -> None:
    done = here("show", built, "--category", "multi_line", "--language", "python", "--n", 2)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Python multi_line") == 2
    assert "⟦" in done.stdout
    assert here("show", built, "--category", "nonsense").returncode == 2


def test_nothing_that_is_shown_writes_to_the_terminal(here: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    rows = [
        {
            "content": Path(shutil.__file__).read_text(),
            "lang": "Python",
            "licenses": ["MIT"],
            "repository": "a/:one:[red]",
        }
    ]
    rows[0]["path"] = "\x1b]0;title\x07\u202e.py"
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "data" / "a.parquet")
    spec = f"parquet:{tmp_path}/data"
    built = here("build", spec, "--out", tmp_path / "out", "--workers", 1)
    assert built.returncode == 0, built.stderr
    for arguments in (("show", tmp_path / "out"), ("explain", spec, "--path", rows[0]["path"])):
        done = here(*arguments)
        assert done.returncode == 0, done.stderr
        assert ":one:[red]" in done.stdout
        assert "\\x1b]0;title\\x07\\u202e.py" in done.stdout
        assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout)
    missing = here("explain", spec, "--path", "no\x1b[2J")
    assert "no\\x1b[2J" in missing.stderr
    assert "\x1b" not in missing.stderr
