"""`stackfim mix`: examples and conversations from two local data sets in their published columns."""

import ast
import json
import subprocess
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer, processors

from stackfim.pipeline.derive import mix as mixing
from stackfim.pipeline.derive.shard_by_shard import Made
from stackfim.pipeline.folder import paths
from stackfim.schemas.derived import MixtureReport
from stackfim.schemas.mixed import MIXED
from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.split_settings import SplitSettings
from tests.fixture_types import SourceFile

Run = Callable[..., subprocess.CompletedProcess[str]]
"""Runs the command; gives the finished process."""
Digest = Callable[[Path], dict[str, str]]
"""Digests of all files below a folder, by relative path."""


def documented_functions() -> list[tuple[str, str, str]]:
    """Name, first line of the documentation and source of functions of the standard library."""
    found = []
    library = Path(sysconfig.get_path("stdlib"))
    for path in sorted(library.glob("[a-g]*.py")):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                first_line = (ast.get_docstring(node) or "").split("\n")[0]
                source = ast.get_source_segment(text, node)
                if len(first_line) > 25 and source is not None:
                    found.append((node.name, first_line, source))
    return found


@pytest.fixture(scope="module")
def chats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two data sets of real functions: `commits` in CommitPackFT's columns, `pairs` of prompts and responses."""
    folder = tmp_path_factory.mktemp("chats")
    functions = documented_functions()
    commits, pairs = [], []
    for number, (name, first_line, source) in enumerate(functions):
        if number % 2:
            commits.append(
                {
                    "commit": f"{number:040x}", "old_file": f"{name}.py", "new_file": f"{name}.py",
                    "old_contents": f"def {name}(*args):\n    raise NotImplementedError\n", "new_contents": source,
                    "subject": f"Implement {name}: {first_line}", "message": f"Implement {name}: {first_line}\n\nSee the issue.",
                    "lang": "Python", "license": "gpl-2.0" if number % 10 == 1 else "mit", "repos": "a/b,c/d",
                }
            )  # fmt: skip
        else:
            pairs.append({"prompt": f"Write a Python function. {first_line}", "response": source})
    pairs += [
        {"prompt": "Could you write me a poem on the sea?", "response": "As an AI language model, I would rather not."}
    ]
    pairs += pairs[:5]
    for name, rows in (("commits", commits), ("pairs", pairs)):
        (folder / name).mkdir()
        pq.write_table(pa.Table.from_pylist(rows), folder / name / "train-00000-of-00001.parquet")
    return folder


@pytest.fixture(scope="module")
def shards(
    rows_of: Callable[[Iterable[tuple[str, bytes]]], pa.RecordBatch],
    sources: tuple[SourceFile, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Examples in two training files and one of validation."""
    folder = tmp_path_factory.mktemp("shards") / "data"
    folder.mkdir()
    splitter = Splitter(SplitSettings(max_slots=4, lines_per_slot=20, context_bytes=600), "0")
    for part, name in enumerate(("train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00002")):
        rows = rows_of((file.language, file.content) for file in sources[part::3])
        pq.write_table(pa.Table.from_batches([splitter.split(rows).examples]), folder / f"{name}.parquet")
    return folder.parent


@pytest.fixture(scope="module")
def mix(shards: Path, checkpoint: Path, here: Run) -> Run:
    """Runs `stackfim mix` on the shards with the small tokenizer."""

    def run(chat: Path | str, out: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
        given = ("--chat", chat, "--out", out, "--tokenizer", checkpoint, "--workers", 1)
        return here("mix", shards, *given, *arguments)

    return run


def rows(folder: Path, split: str = "train") -> list[dict[str, Any]]:
    tables = [pq.read_table(path) for path in sorted((folder / "data").glob(f"{split}-*.parquet"))]
    assert all(table.schema.equals(MIXED) for table in tables)
    found: list[dict[str, Any]] = pa.concat_tables(tables).to_pylist()
    return found


def report_of(folder: Path) -> MixtureReport:
    return MixtureReport.from_json((folder / paths.MIXTURE).read_bytes())


@pytest.mark.parametrize(("name", "share"), [("commits", 0.15), ("pairs", 0.4), ("pairs", 0.9)])
def test_shares_are_exact_to_half_a_point_by_tokens(
    chats: Path, mix: Run, checkpoint: Path, tmp_path: Path, name: str, share: float
) -> None:
    done = mix(chats / name, tmp_path / "out", "--share", share, "--chat-license", "PSF-2.0")
    assert done.returncode == 0, done.stderr
    tokens: Counter[str] = Counter()
    reader = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    for row in rows(tmp_path / "out"):
        tokens[row["source"]] += row["tokens"]
        if row["source"] == "chat":
            ids = reader.encode(row["prompt"] + row["completion"], add_special_tokens=False).ids
            assert len(ids) == row["tokens"]
            assert [reader.id_to_token(ids[0]), reader.id_to_token(ids[-1])] == ["<empty_output>", "<|endoftext|>"]
    assert tokens["chat"] / sum(tokens.values()) == pytest.approx(share, abs=0.005)
    report = report_of(tmp_path / "out")
    assert report.train_tokens == dict(tokens)
    assert f"{report.chat_share:.2%}" in done.stdout


def test_it_loads_and_says_what_went(chats: Path, mix: Run, shards: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = mix(f"parquet:{chats / 'commits'}", out, "--share", 0.6)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in out.iterdir()} == {"README.md", "data", "rejections", "mixture.json"}
    loaded = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert set(loaded["train"].unique("source")) == {"fim", "chat"}
    assert loaded["validation"].unique("source") == ["fim"]
    counts = report_of(out).counts
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


def test_pairs_without_a_license_are_left_out_unless_one_is_given(chats: Path, mix: Run, tmp_path: Path) -> None:
    refused = mix(chats / "pairs", tmp_path / "a")
    assert refused.returncode == 2
    assert "no column license" in refused.stderr
    assert "expected --chat-license" in refused.stderr
    assert not (tmp_path / "a").exists()
    done = mix(chats / "pairs", tmp_path / "b", "--chat-license", "PSF-2.0")
    assert done.returncode == 0, done.stderr
    assert "refusal" in done.stdout
    counts = report_of(tmp_path / "b").counts
    assert counts["rejected:exact_duplicate"] >= 5
    assert {license_ for row in rows(tmp_path / "b") if row["source"] == "chat" for license_ in row["licenses"]} == {
        "PSF-2.0"
    }


def test_the_same_command_gives_the_same_bytes_and_another_seed_others(
    chats: Path, mix: Run, tree_digest: Digest, tmp_path: Path
) -> None:
    (tmp_path / "run.toml").write_text("seed = 4\n")
    for name, arguments in (("a", []), ("b", []), ("c", ["--config", tmp_path / "run.toml"])):
        assert mix(chats / "commits", tmp_path / name, *arguments).returncode == 0
    assert tree_digest(tmp_path / "a") == tree_digest(tmp_path / "b")
    assert [row["example_id"] for row in rows(tmp_path / "a")] != [row["example_id"] for row in rows(tmp_path / "c")]


@pytest.mark.parametrize(
    ("chat", "arguments", "told"),
    [
        ("nowhere", [], "nowhere"),
        ("SHARDS", [], "expected old_contents"),
        ("COMMITS", ["--share", 1.5], "above 0 and below 1"),
        ("COMMITS", ["--format", "gpt9"], "gpt9"),
        ("COMMITS", ["--format", "starcoder"], "expected --chat-template"),
        ("COMMITS", ["--chat-license", "MTI"], "--chat-license MTI"),
        ("COMMITS", ["--chat-template", "CHECKPOINT/config.json"], "no chat_template"),
    ],
)
def test_what_cannot_be_is_a_usage_error(
    chats: Path, shards: Path, checkpoint: Path, mix: Run, tmp_path: Path, chat: str, arguments: list[object], told: str
) -> None:
    place = {"SHARDS": shards, "COMMITS": chats / "commits"}.get(chat, tmp_path / chat)
    given = [str(argument).replace("CHECKPOINT", str(checkpoint)) for argument in arguments]
    done = mix(place, tmp_path / "out", *given)
    assert done.returncode == 2, done.stdout
    assert told in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "told"), [(["--share", 15], "--share 15"), (["--chat-license", "MTI"], "--chat-license MTI")]
)
def test_what_is_wrong_with_the_command_is_told_before_anything_is_read(
    here: Run, tmp_path: Path, arguments: list[object], told: str
) -> None:
    given = ("--chat", tmp_path / "none", "--tokenizer", tmp_path / "none", "--out", tmp_path / "out")
    done = here("mix", tmp_path / "nowhere", *given, *arguments)
    assert done.returncode == 2
    assert told in done.stderr


@pytest.mark.parametrize("place", ["config", "jinja", "tokenizer"])
def test_another_family_s_conversations_have_its_own_template(
    chats: Path, shards: Path, checkpoint: Path, here: Run, tmp_path: Path, place: str
) -> None:
    """The one that is given, or the one beside the tokenizer; its begin token is left to the tokenizer."""
    folder = tmp_path / "model"
    folder.mkdir()
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    tokenizer.add_special_tokens(["<s>", "[Q]", "[A]"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    template = (
        "{{ bos_token }}{% for turn in messages %}{{ '[Q]' if turn.role == 'user' else '[A]' }}{{ turn.content }}"
        "{% if turn.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}[A]{% endif %}"
    )
    config = {"bos_token": "<s>", "eos_token": "<|endoftext|>"}
    where = tmp_path / "elsewhere" if place == "config" else folder
    where.mkdir(exist_ok=True)
    if place == "jinja":
        (where / "chat_template.jinja").write_text(template)
    else:
        config["chat_template"] = template
    (where / "tokenizer_config.json").write_text(json.dumps(config))
    given = ["--chat-template", where / "tokenizer_config.json"] if place == "config" else []
    common = ("--chat", chats / "commits", "--tokenizer", folder, "--workers", 1, "--out", tmp_path / "out")
    done = here("mix", shards, *common, "--format", "starcoder", *given)
    assert done.returncode == 0, done.stderr
    for row in rows(tmp_path / "out"):
        assert row["tokens"] == len(tokenizer.encode(row["prompt"] + row["completion"])) or row["source"] == "fim"
        if row["source"] == "chat":
            assert row["prompt"].startswith("[Q]")
            assert row["prompt"].endswith("[A]")
            assert row["completion"].endswith("<|endoftext|>")


@pytest.mark.parametrize("column", ["messages", "conversations"])
def test_conversations_of_several_turns_are_mixed_in(chats: Path, mix: Run, tmp_path: Path, column: str) -> None:
    pairs = pq.read_table(chats / "pairs").to_pylist()
    role, content = ("role", "content") if column == "messages" else ("from", "value")
    many = [
        {
            column: [
                {role: "system", content: "You write Python."},
                {role: "user", content: one["prompt"]},
                {role: "assistant", content: one["response"]},
                {role: "user", content: other["prompt"]},
                {role: "assistant", content: other["response"]},
            ],
            "license": "mit",
        }
        for one, other in zip(pairs[:40:2], pairs[1:40:2], strict=True)
    ]
    (tmp_path / "chat").mkdir()
    pq.write_table(pa.Table.from_pylist([*many, {column: [], "license": "mit"}]), tmp_path / "chat" / "a.parquet")
    done = mix(tmp_path / "chat", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "rejected: no_exchange" in done.stdout
    assert "left out to keep to the share: conversations" in done.stdout
    found = [row for row in rows(tmp_path / "out") if row["source"] == "chat"]
    assert found
    for row in found:
        assert row["prompt"].startswith("<empty_output>SYSTEM You write Python.\n<empty_output>USER ")
        assert row["prompt"].count("<empty_output>ASSISTANT") == 2
    counts = report_of(tmp_path / "out").counts
    left_out = counts["chat_kept"] - counts["chat_taken"]
    assert counts["chat_left_out"] == left_out


def test_it_goes_on_where_it_broke_off_without_reading_the_conversations_again(
    chats: Path, mix: Run, tree_digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mix(chats / "commits", tmp_path / "whole").returncode == 0
    out = tmp_path / "out"
    whole = mixing._mix

    def breaks_off(task: mixing._MixTask) -> Made:
        if task.name.startswith("train-00001"):
            raise KeyboardInterrupt
        return whole(task)

    monkeypatch.setattr(mixing, "_mix", breaks_off)
    mix(chats / "commits", out)
    assert not (out / paths.MIXTURE).exists()
    first = out / "data" / "train-00000-of-00002.parquet"
    written = first.stat().st_mtime_ns
    monkeypatch.setattr(mixing, "_mix", whole)
    monkeypatch.setattr(mixing, "read_conversations", None)
    done = mix(chats / "commits", out)
    assert done.returncode == 0, done.stderr
    assert first.stat().st_mtime_ns == written
    assert tree_digest(out) == tree_digest(tmp_path / "whole")
    again = mix(chats / "commits", out)
    assert (again.returncode, again.stdout) == (0, done.stdout)


def test_two_workers_give_the_same_bytes_as_one(
    chats: Path, mix: Run, stackfim: Run, shards: Path, checkpoint: Path, tree_digest: Digest, tmp_path: Path
) -> None:
    assert mix(chats / "commits", tmp_path / "one").returncode == 0
    given = ("--chat", chats / "commits", "--tokenizer", checkpoint, "--workers", 2)
    done = stackfim("mix", shards, "--out", tmp_path / "two", *given)
    assert done.returncode == 0, done.stderr
    assert tree_digest(tmp_path / "one") == tree_digest(tmp_path / "two")


def test_other_conversations_are_another_mixture(chats: Path, mix: Run, tree_digest: Digest, tmp_path: Path) -> None:
    chat, out = tmp_path / "chat" / "commits.parquet", tmp_path / "out"
    chat.parent.mkdir()
    rows_of_commits = pq.read_table(chats / "commits")
    pq.write_table(rows_of_commits, chat)
    assert mix(chat, out).returncode == 0
    before = tree_digest(out)
    pq.write_table(rows_of_commits.slice(1), chat)
    refused = mix(chat, out)
    assert refused.returncode == 2
    assert "holds a finished mixture with chat.sha256 = " in refused.stderr
    assert tree_digest(out) == before
