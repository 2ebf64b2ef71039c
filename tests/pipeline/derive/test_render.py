"""`stackfim render`: whole folders for one family, as strings, token ids and packs."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.prepare import Request
from stackfim.schemas.derived import RenderingReport
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.rendered import PACKED, RENDERED, TOKENIZED
from stackfim.transforms.render.families import FAMILIES
from stackfim.transforms.render.parse import parse_rendered

Run = Callable[..., subprocess.CompletedProcess[str]]
"""Runs the command; gives the finished process."""
Digest = Callable[[Path], dict[str, str]]
"""Digests of all files below a folder, by relative path."""


def table(folder: Path) -> pa.Table:
    return pa.concat_tables([pq.read_table(path) for path in sorted((folder / "data").glob("*.parquet"))])


def read_report(folder: Path) -> RenderingReport:
    return RenderingReport.from_json((folder / paths.RENDERING).read_bytes())


@pytest.fixture(scope="module")
def tokenizer(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A byte-level BPE trained on the data set, with Refact's sentinels."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2_000,
        special_tokens=sorted(FAMILIES["refact"].sentinels),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(table(built)["prefix"].to_pylist(), trainer)
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    made.save(str(path))
    return path


def test_every_row_is_rendered_or_rejected_and_reads_back(built: Path, stackfim: Run, tmp_path: Path) -> None:
    done = stackfim("render", built, "--out", tmp_path / "refact", "--format", "refact")
    assert done.returncode == 0, done.stderr
    original, rendered = table(built), table(tmp_path / "refact")
    assert rendered.schema.names == [*EXAMPLE.names, *(field.name for field in RENDERED)]
    rejected = [pq.read_table(path) for path in (tmp_path / "refact" / "rejections").glob("*.parquet")]
    assert rendered.num_rows + sum(part.num_rows for part in rejected) == original.num_rows
    assert set(rendered["layout"].to_pylist()) == {"psm", "spm"}
    for row in rendered.to_pylist():
        parts = parse_rendered("refact", row["layout"], row["prompt"], row["completion"])
        assert (parts.prefix, parts.middle, parts.suffix) == (row["prefix"], row["middle"], row["suffix"])
    report = read_report(tmp_path / "refact")
    assert report.counts["rows"] == rendered.num_rows
    assert report.counts["examples"] == original.num_rows
    written = {path.relative_to(tmp_path / "refact").as_posix() for path in (tmp_path / "refact").rglob("*.parquet")}
    assert {file.path for file in report.files} == written
    assert {path.name for path in (tmp_path / "refact").iterdir()} == {
        "README.md", "data", "rejections", "rendering.json",
    }  # fmt: skip


def test_one_and_two_workers_and_a_broken_off_run_give_the_same_bytes(
    built: Path, stackfim: Run, tmp_path: Path
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert stackfim("render", built, "--out", one, "--workers", 1).returncode == 0
    shutil.copytree(one, two)
    # As a run leaves it that was killed: one shard missing, one half written, no rendering.json.
    (two / "rendering.json").unlink()
    files = sorted((two / "data").iterdir())
    files[0].unlink()
    files[1].write_bytes(b"half")
    (two / "data" / ".tmp-0-x").write_bytes(b"left")
    (two / "work").mkdir()
    report = read_report(one)
    request = Request.of({name: getattr(report, name) for name in ("version", "settings", "pack_tokens", "source")})
    assert request.run_key == report.run_key
    (two / paths.REQUEST).write_bytes(request.to_json())
    assert stackfim("render", built, "--out", two, "--workers", 2).returncode == 0
    for path in sorted(one.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (two / path.relative_to(one)).read_bytes(), path
    assert not list(two.rglob(".tmp-*"))


def test_token_ids_hold_the_whole_middle_and_the_end_of_text(
    built: Path, stackfim: Run, tokenizer: Path, tmp_path: Path
) -> None:
    out = tmp_path / "ids"
    done = stackfim("render", built, "--out", out, "--tokenizer", tokenizer, "--max-tokens", 256, "--tokenize")
    assert done.returncode == 0, done.stderr
    rendered = table(out)
    assert rendered.schema.names[-3:] == [field.name for field in TOKENIZED]
    reader = Tokenizer.from_file(str(tokenizer))
    end = reader.token_to_id("<|endoftext|>")
    assert rendered.num_rows
    for row in rendered.to_pylist():
        assert len(row["input_ids"]) == len(row["completion_mask"]) <= 256
        learned = [number for number, flag in zip(row["input_ids"], row["completion_mask"], strict=True) if flag]
        assert learned[-1] == end
        assert reader.decode(learned[:-1], skip_special_tokens=False) == row["middle"]


def test_packs_have_one_length_and_every_example_once(
    built: Path, stackfim: Run, tokenizer: Path, tmp_path: Path
) -> None:
    out = tmp_path / "packs"
    done = stackfim("render", built, "--out", out, "--tokenizer", tokenizer, "--pack", 1024)
    assert done.returncode == 0, done.stderr
    packs = table(out)
    assert packs.schema.equals(PACKED)
    assert {len(row) for row in packs["input_ids"].to_pylist()} == {1024}
    ids = [example for row in packs["example_ids"].to_pylist() for example in row]
    assert len(ids) == len(set(ids))
    rejected = sum(pq.read_table(path).num_rows for path in (out / "rejections").glob("*.parquet"))
    assert len(ids) + rejected == table(built).num_rows
    assert "are padding" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--format", "gpt9"], "gpt9"),
        (["--max-tokens", 100], "tokenizer"),
        (["--tokenizer", "nowhere.json", "--max-tokens", 100], "nowhere.json"),
        (["--format", "codegemma", "--spm-share", 0.5], "codegemma"),
        (["--max-chars", 10, "--max-tokens", 10], "max_chars"),
    ],
)
def test_what_cannot_be_is_a_usage_error_and_writes_nothing(
    built: Path, here: Run, tmp_path: Path, arguments: list[object], told: str
) -> None:
    done = here("render", built, "--out", tmp_path / "out", *arguments)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_else_is_left_alone(built: Path, here: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    done = here("render", built, "--out", tmp_path)
    assert done.returncode == 2
    assert "something other than a rendering (notes.txt)" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert here("render", built, "--out", tmp_path / "a", "--workers", 1).returncode == 0
    again = here("render", built, "--out", tmp_path / "a", "--format", "starcoder2")
    assert again.returncode == 2
    assert 'family = "refact" (now "starcoder2")' in again.stderr
