"""Trainers take what the command wrote as it is: datasets, TRL's SFTTrainer, and PyTorch's DataLoader with workers."""

import inspect
import math
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
import transformers
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling, SFTTrainer

from stackfim import model
from stackfim.model.checkpoint import SHIPPED
from stackfim.model.refact import Refact
from stackfim.model.training.loop import batch_loss
from stackfim.model.training.sequences import Batch

Run = Callable[..., subprocess.CompletedProcess[str]]
"""Runs the command; gives the finished process."""

TINY = SHIPPED["tiny"]
MAX_TOKENS = 256
PACK = 1024
END_OF_TEXT = 0


@pytest.fixture(scope="module")
def rendered(built: Path, stackfim: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set rendered for Refact, with token ids of the tiny checkpoint's tokenizer."""
    out = tmp_path_factory.mktemp("rendered") / "out"
    done = stackfim(
        "render", built, "--out", out, "--tokenizer", TINY, "--max-tokens", MAX_TOKENS, "--tokenize", "--workers", 1
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def splits(rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> datasets.DatasetDict:
    """The rendered data set as `datasets` loads it."""
    return datasets.load_dataset(str(rendered), cache_dir=str(tmp_path_factory.mktemp("cache")))


def test_datasets_finds_splits_and_columns(splits: datasets.DatasetDict, rendered: Path) -> None:
    assert "train" in splits
    row = splits["train"][0]
    assert {"prompt", "completion", "input_ids", "labels", "completion_mask", "licenses", "repository"} <= row.keys()
    assert len(row["input_ids"]) == len(row["labels"]) == len(row["completion_mask"]) <= MAX_TOKENS
    streamed = datasets.load_dataset(str(rendered), streaming=True, split="train")
    assert next(iter(streamed))["prompt"] == row["prompt"]


def tokenizer_of_trainers() -> Any:
    """The tiny checkpoint's tokenizer as transformers wraps it."""
    make_tokenizer: Callable[..., Any] = transformers.PreTrainedTokenizerFast
    return make_tokenizer(tokenizer_file=str(TINY / "tokenizer.json"), eos_token="<|endoftext|>", pad_token="<fim_pad>")


def small_llama() -> transformers.LlamaForCausalLM:
    """A network of a few thousand weights."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=4_096,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=PACK,
    )
    return transformers.LlamaForCausalLM(config)


def sft_trainer(rows: datasets.Dataset, folder: Path, **changes: Any) -> SFTTrainer:
    """TRL's trainer as the README sets it up."""
    settings = SFTConfig(
        output_dir=str(folder),
        max_steps=6,
        learning_rate=1e-2,
        completion_only_loss=True,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        bf16=False,
        disable_tqdm=True,
        **{"max_length": MAX_TOKENS, "per_device_train_batch_size": 8, **changes},
    )
    return SFTTrainer(small_llama(), train_dataset=rows, args=settings, processing_class=tokenizer_of_trainers())


def test_trl_trains_on_prompt_and_completion(splits: datasets.DatasetDict, tmp_path: Path) -> None:
    rows = splits["train"].select(range(64))
    trainer = sft_trainer(rows.select_columns(["prompt", "completion"]), tmp_path)
    # What it makes of the texts is what --tokenize wrote: sentinels as such, one end-of-text, which is learned.
    prepared: Any = trainer.train_dataset
    for row, theirs in zip(rows, prepared, strict=True):
        assert theirs["input_ids"] == row["input_ids"]
        assert theirs["labels"] == row["labels"]
        assert theirs["input_ids"].count(END_OF_TEXT) == 1
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert len(losses) == 6
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0]


def learned_of(row: dict[str, Any]) -> list[int]:
    """The ids that the loss is to fall on: those of the completion."""
    return [number for number, is_learned in zip(row["input_ids"], row["completion_mask"], strict=True) if is_learned]


def learned_by(labels: torch.Tensor) -> list[list[int]]:
    """The ids that the loss falls on, of each row of a batch."""
    return [row[row != -100].tolist() for row in labels]


def test_trl_learns_from_token_ids_the_middle_and_the_end_alone(splits: datasets.DatasetDict, tmp_path: Path) -> None:
    rows = splits["train"].select(range(16))
    trainer = sft_trainer(rows, tmp_path)
    seen: list[list[int]] = []
    for batch in trainer.get_train_dataloader():
        assert batch["input_ids"].shape == batch["labels"].shape
        seen += learned_by(batch["labels"])
    assert sorted(seen) == sorted(map(learned_of, rows))


def test_trl_needs_no_labels_where_it_reads_the_mask(splits: datasets.DatasetDict, tmp_path: Path) -> None:
    rows = splits["train"].select(range(16))
    prepared: Any = sft_trainer(rows.select_columns(["input_ids", "completion_mask"]), tmp_path).train_dataset
    assert [row["labels"] for row in prepared] == [row["labels"] for row in rows]


def test_transformers_collators_learn_the_middle_and_the_end_alone(splits: datasets.DatasetDict) -> None:
    rows = splits["train"].select(range(8))
    features = list(rows.select_columns(["input_ids", "labels"]))
    batch = transformers.DataCollatorForSeq2Seq(tokenizer_of_trainers())(features)
    assert learned_by(batch["labels"]) == [learned_of(row) for row in rows]
    flattening: Callable[[], Any] = transformers.DataCollatorWithFlattening
    flat = flattening()(features)
    assert learned_by(flat["labels"]) == [[number for row in rows for number in learned_of(row)]]


def padded(rows: list[dict[str, Any]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids (batch, longest), padded with end-of-text, and labels, -100 where nothing is learned."""
    ids = torch.nn.utils.rnn.pad_sequence([row["input_ids"].long() for row in rows], batch_first=True)
    labels = [row["labels"].long() for row in rows]
    return ids, torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=-100)


def test_a_data_loader_with_workers_gives_every_row_once(splits: datasets.DatasetDict) -> None:
    rows = splits["train"].select_columns(["input_ids", "labels"]).with_format("torch")
    loader = torch.utils.data.DataLoader(rows, batch_size=8, shuffle=True, num_workers=2, collate_fn=padded)
    network = model.load("tiny", dtype="float32", device="cpu").network
    assert isinstance(network, Refact)
    seen, losses = [], []
    for number, (ids, labels) in enumerate(loader):
        seen += [tuple(row[row != -100].tolist()) for row in labels]
        if number < 3:
            logits = network(ids[:, :-1])
            losses.append(torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels[:, 1:]).item())
    learned = [tuple(learned_of(row)) for row in splits["train"]]
    assert sorted(seen) == sorted(learned)
    assert all(completion[-1] == END_OF_TEXT for completion in learned)
    # The ids mean to the network what they meant to the tokenizer: far from guessing among 4,096.
    assert sum(losses) / len(losses) < 5.5


@pytest.fixture(scope="module")
def packs(built: Path, stackfim: Run, tmp_path_factory: pytest.TempPathFactory) -> datasets.Dataset:
    """The data set in rows of 1,024 tokens."""
    folder = tmp_path_factory.mktemp("packs")
    done = stackfim("render", built, "--out", folder / "packed", "--tokenizer", TINY, "--pack", PACK)
    assert done.returncode == 0, done.stderr
    loaded: datasets.Dataset = datasets.load_dataset(
        str(folder / "packed"), cache_dir=str(folder / "cache"), split="train"
    )
    return loaded


def test_packed_rows_train_without_attention_between_examples(packs: datasets.Dataset) -> None:
    network = model.load("tiny", dtype="float32", device="cpu").network
    assert isinstance(network, Refact)
    row = packs.with_format("numpy")[0]
    assert len(row["input_ids"]) == PACK
    lengths = row["seq_lengths"].tolist()
    assert sum(lengths) == PACK
    # The first token of each example is predicted by none before it.
    weights = row["completion_mask"].astype("float32")[1:]
    ids = row["input_ids"].astype("int64")
    batch = Batch(ids[:-1], ids[1:], weights, 0 * weights, [*lengths[:-1], lengths[-1] - 1])
    assert batch_loss(network, batch).item() < 5.5


def test_trl_s_collator_takes_packed_rows_as_they_are(packs: datasets.Dataset) -> None:
    rows = list(packs.select(range(2)))
    batch = DataCollatorForLanguageModeling(pad_token_id=4, padding_free=True)(rows)
    for name in ("input_ids", "position_ids"):
        assert batch[name].tolist() == [[number for row in rows for number in row[name]]]
    assert learned_by(batch["labels"]) == [[number for row in rows for number in learned_of(row)]]
    begins = [place for place, position in enumerate(batch["position_ids"][0].tolist()) if not position]
    assert batch["cu_seq_lens_q"].tolist() == [*begins, 2 * PACK]


def test_trl_trains_on_packed_rows_as_they_are(packs: datasets.Dataset, tmp_path: Path) -> None:
    rows = packs.select(range(4))
    trainer = sft_trainer(rows, tmp_path, max_length=None, padding_free=True, per_device_train_batch_size=2)
    seen: list[int] = []
    positions: list[int] = []
    for batch in trainer.get_train_dataloader():
        seen += batch["labels"][batch["labels"] != -100].tolist()
        positions += batch["position_ids"].flatten().tolist()
    assert sorted(seen) == sorted(number for row in rows for number in learned_of(row))
    assert sorted(positions) == sorted(number for row in rows for number in row["position_ids"])


def test_the_trainer_of_transformers_takes_packed_rows_as_they_are(packs: datasets.Dataset, tmp_path: Path) -> None:
    rows = packs.select(range(4))
    settings = transformers.TrainingArguments(str(tmp_path), use_cpu=True, report_to="none", max_steps=2)
    trainer = transformers.Trainer(small_llama(), settings, train_dataset=rows)
    (batch,) = trainer.get_train_dataloader()
    assert set(batch) == {"input_ids", "labels", "position_ids"}
    assert sorted(learned_by(batch["labels"])) == sorted(map(learned_of, rows))
    assert math.isfinite(trainer.train().training_loss)


def test_transformers_keep_the_examples_of_a_packed_row_apart(packs: datasets.Dataset) -> None:
    """With the positions, the logits of an example are those that it has by itself."""
    row = packs[0]
    names = ("input_ids", "labels", "position_ids")
    batch = transformers.default_data_collator([{name: row[name] for name in names}])
    assert learned_by(batch["labels"]) == [learned_of(row)]
    network = small_llama()
    # As the Trainer sets it.
    network.config.use_cache = transformers.TrainingArguments(report_to="none").use_cache
    assert set(names) <= set(inspect.signature(network.forward).parameters)
    with torch.no_grad():
        packed = network(**batch).logits[0]
        end = 0
        for size in row["seq_lengths"][:3]:
            begin, end = end, end + size
            alone = network(input_ids=batch["input_ids"][:, begin:end]).logits[0]
            torch.testing.assert_close(packed[begin:end], alone, rtol=1e-3, atol=1e-4)
