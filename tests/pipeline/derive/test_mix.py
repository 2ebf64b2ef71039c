"""`stackfim mix`: examples and conversations from two local data sets in their published columns."""

import ast
import json
import sysconfig
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from tokenizers import Tokenizer
from typer.testing import CliRunner

from stackfim.pipeline.commands.cli import app
from stackfim.schemas.mixed import MIXED
from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.split_settings import SplitSettings


def documented_functions() -> list[tuple[str, str, str]]:
    """Name, first line of the documentation and source of functions of the standard library."""
    found = []
    library = Path(sysconfig.get_path("stdlib"))
    for path in sorted(library.glob("[a-g]*.py")):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            said = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
            if said and len(said.split("\n")[0]) > 25:
                found.append((node.name, said.split("\n")[0], ast.get_source_segment(text, node)))
    return found


@pytest.fixture(scope="module")
def chats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two data sets of real functions: `commits` in CommitPackFT's columns, `pairs` of prompts and responses."""
    folder = tmp_path_factory.mktemp("chats")
    functions = documented_functions()
    commits, pairs = [], []
    for number, (name, said, source) in enumerate(functions):
        if number % 2:
            commits.append(
                {
                    "commit": f"{number:040x}", "old_file": f"{name}.py", "new_file": f"{name}.py",
                    "old_contents": f"def {name}(*args):\n    raise NotImplementedError\n", "new_contents": source,
                    "subject": f"Implement {name}: {said}", "message": f"Implement {name}: {said}\n\nSee the issue.",
                    "lang": "Python", "license": "gpl-2.0" if number % 10 == 1 else "mit", "repos": "a/b,c/d",
                }
            )  # fmt: skip
        else:
            pairs.append({"prompt": f"Write a Python function. {said}", "response": source})
    pairs += [
        {"prompt": "Could you write me a poem on the sea?", "response": "As an AI language model, I would rather not."}
    ]
    pairs += pairs[:5]
    for name, rows in (("commits", commits), ("pairs", pairs)):
        (folder / name).mkdir()
        pq.write_table(pa.Table.from_pylist(rows), folder / name / "train-00000-of-00001.parquet")
    return folder


@pytest.fixture(scope="module")
def shards(rows_of, sources, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Examples in two training files and one of validation."""
    folder = tmp_path_factory.mktemp("shards") / "data"
    folder.mkdir()
    splitter = Splitter(SplitSettings(max_slots=4, lines_per_slot=20, context_bytes=600), "0")
    for part, name in enumerate(("train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00002")):
        rows = rows_of((file.language, file.content) for file in sources[part::3])
        pq.write_table(pa.Table.from_batches([splitter.split(rows).examples]), folder / f"{name}.parquet")
    return folder.parent


@pytest.fixture(scope="module")
def mix(shards: Path, checkpoint: Path) -> Callable[..., Result]:
    """Runs `stackfim mix` on the shards with the small tokenizer."""

    def run(chat: Path | str, out: Path, *arguments: object) -> Result:
        given = ["mix", shards, "--chat", chat, "--out", out, "--tokenizer", checkpoint, *arguments]
        return CliRunner().invoke(app, [str(argument) for argument in given])

    return run


def rows(folder: Path, split: str = "train") -> list[dict[str, Any]]:
    tables = [pq.read_table(path) for path in sorted((folder / "data").glob(f"{split}-*.parquet"))]
    assert all(table.schema.equals(MIXED) for table in tables)
    return pa.concat_tables(tables).to_pylist()


@pytest.mark.parametrize(("name", "share"), [("commits", 0.15), ("pairs", 0.4), ("pairs", 0.9)])
def test_shares_are_exact_to_half_a_point_by_tokens(
    chats: Path, mix, checkpoint: Path, tmp_path: Path, name: str, share: float
) -> None:
    done = mix(chats / name, tmp_path / "out", "--share", share, "--chat-license", "PSF-2.0")
    assert done.exit_code == 0, done.output
    tokens: Counter[str] = Counter()
    reader = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    for row in rows(tmp_path / "out"):
        tokens[row["source"]] += row["tokens"]
        if row["source"] == "chat":
            ids = reader.encode(row["prompt"] + row["completion"], add_special_tokens=False).ids
            assert len(ids) == row["tokens"]
            assert [reader.id_to_token(ids[0]), reader.id_to_token(ids[-1])] == ["<empty_output>", "<|endoftext|>"]
    assert tokens["chat"] / sum(tokens.values()) == pytest.approx(share, abs=0.005)
    said = json.loads((tmp_path / "out" / "mixture.json").read_text())
    assert said["train_tokens"] == dict(tokens)
    assert f"{said['chat_share']:.2%}" in done.output


def test_it_loads_and_says_what_went(chats: Path, mix, shards: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = mix(f"parquet:{chats / 'commits'}", out, "--share", 0.6)
    assert done.exit_code == 0, done.output
    assert {path.name for path in out.iterdir()} == {"README.md", "data", "rejections", "mixture.json"}
    loaded = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert set(loaded["train"].unique("source")) == {"fim", "chat"}
    assert loaded["validation"].unique("source") == ["fim"]
    counts = json.loads((out / "mixture.json").read_text())["counts"]
    assert counts["rejected:license_not_allowed"] > 0
    dropped = pq.read_table(out / "rejections" / "mix.parquet").to_pylist()
    assert Counter(row["reason"] for row in dropped) == {
        name.removeprefix("rejected:"): count for name, count in counts.items() if name.startswith("rejected:")
    }
    assert counts["chat_rows"] == counts["chat_kept"] + sum(row["repository"] == "commits" for row in dropped)
    # Conversations stand between the examples of every shard, none twice.
    for path in sorted((out / "data").glob("train-*")):
        sources = pq.read_table(path)["source"].to_pylist()
        assert "chat" in sources[: len(sources) // 2]
        assert "chat" in sources[len(sources) // 2 :]
    ids = [row["example_id"] for row in rows(out)]
    assert len(ids) == len(set(ids))


def test_pairs_without_a_license_are_left_out_unless_one_is_given(chats: Path, mix, tmp_path: Path) -> None:
    refused = mix(chats / "pairs", tmp_path / "a")
    assert refused.exit_code == 2
    assert "0 of conversations" in refused.output
    done = mix(chats / "pairs", tmp_path / "b", "--chat-license", "PSF-2.0")
    assert done.exit_code == 0, done.output
    assert "refusal" in done.output
    counts = json.loads((tmp_path / "b" / "mixture.json").read_text())["counts"]
    assert counts["rejected:exact_duplicate"] >= 5
    assert {license_ for row in rows(tmp_path / "b") if row["source"] == "chat" for license_ in row["licenses"]} == {
        "PSF-2.0"
    }


def test_the_same_command_gives_the_same_bytes_and_another_seed_others(
    chats: Path, mix, tree_digest, tmp_path: Path
) -> None:
    (tmp_path / "run.toml").write_text("seed = 4\n")
    for name, arguments in (("a", []), ("b", []), ("c", ["--config", tmp_path / "run.toml"])):
        assert mix(chats / "commits", tmp_path / name, *arguments).exit_code == 0
    assert tree_digest(tmp_path / "a") == tree_digest(tmp_path / "b")
    assert [row["example_id"] for row in rows(tmp_path / "a")] != [row["example_id"] for row in rows(tmp_path / "c")]


@pytest.mark.parametrize(
    ("chat", "arguments", "said"),
    [
        ("nowhere", [], "nowhere"),
        ("SHARDS", [], "expected old_contents"),
        ("COMMITS", ["--share", 1.5], "above 0 and below 1"),
        ("COMMITS", ["--format", "gpt9"], "gpt9"),
        ("COMMITS", ["--chat-template", "CHECKPOINT/config.json"], "no chat_template"),
    ],
)
def test_what_cannot_be_is_a_usage_error(
    chats: Path, shards: Path, checkpoint: Path, mix, tmp_path: Path, chat: str, arguments: list, said: str
) -> None:
    place = {"SHARDS": shards, "COMMITS": chats / "commits"}.get(chat, tmp_path / chat)
    given = [str(argument).replace("CHECKPOINT", str(checkpoint)) for argument in arguments]
    done = mix(place, tmp_path / "out", *given)
    assert done.exit_code == 2, done.output
    assert said in done.output
    assert not (tmp_path / "out" / "mixture.json").exists()
