"""Trainers take what the command wrote as it is: datasets, TRL's SFTTrainer, and PyTorch's DataLoader with workers."""

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
from trl.trainer.sft_trainer import SFTTrainer

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
    assert {"prompt", "completion", "input_ids", "loss_mask", "licenses", "repository"} <= row.keys()
    assert len(row["input_ids"]) == len(row["loss_mask"]) <= MAX_TOKENS
    streamed = datasets.load_dataset(str(rendered), streaming=True, split="train")
    assert next(iter(streamed))["prompt"] == row["prompt"]


def test_trl_trains_on_prompt_and_completion(splits: datasets.DatasetDict, tmp_path: Path) -> None:
    make_tokenizer: Callable[..., Any] = transformers.PreTrainedTokenizerFast
    tokenizer = make_tokenizer(
        tokenizer_file=str(TINY / "tokenizer.json"), eos_token="<|endoftext|>", pad_token="<fim_pad>"
    )
    rows = splits["train"].select(range(64))
    network = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=MAX_TOKENS,
        )
    )
    settings = SFTConfig(
        output_dir=str(tmp_path),
        max_steps=6,
        learning_rate=1e-2,
        per_device_train_batch_size=8,
        max_length=MAX_TOKENS,
        completion_only_loss=True,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        bf16=False,
        disable_tqdm=True,
    )
    trainer = SFTTrainer(
        network, train_dataset=rows.select_columns(["prompt", "completion"]), args=settings, processing_class=tokenizer
    )
    # What it makes of the texts is what --tokenize wrote: sentinels as such, one end-of-text, which is learned.
    prepared: Any = trainer.train_dataset
    for row, theirs in zip(rows, prepared, strict=True):
        assert theirs["input_ids"] == row["input_ids"]
        learned = zip(row["input_ids"], row["loss_mask"], strict=True)
        assert theirs["labels"] == [number if is_learned else -100 for number, is_learned in learned]
        assert theirs["input_ids"].count(END_OF_TEXT) == 1
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert len(losses) == 6
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0]


def padded(rows: list[dict[str, Any]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids (batch, longest), padded with end-of-text, and labels, -100 where nothing is learned."""
    ids = torch.nn.utils.rnn.pad_sequence([row["input_ids"].long() for row in rows], batch_first=True)
    mask = torch.nn.utils.rnn.pad_sequence([row["loss_mask"].bool() for row in rows], batch_first=True)
    return ids, ids.masked_fill(~mask, -100)


def test_a_data_loader_with_workers_gives_every_row_once(splits: datasets.DatasetDict) -> None:
    rows = splits["train"].select_columns(["input_ids", "loss_mask"]).with_format("torch")
    loader = torch.utils.data.DataLoader(rows, batch_size=8, shuffle=True, num_workers=2, collate_fn=padded)
    network = model.load("tiny", dtype="float32", device="cpu").network
    assert isinstance(network, Refact)
    seen, losses = [], []
    for number, (ids, labels) in enumerate(loader):
        seen += [tuple(row[row != -100].tolist()) for row in labels]
        if number < 3:
            logits = network(ids[:, :-1])
            losses.append(torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels[:, 1:]).item())
    learned = [
        tuple(number for number, learned in zip(row["input_ids"], row["loss_mask"], strict=True) if learned)
        for row in splits["train"].select_columns(["input_ids", "loss_mask"])
    ]
    assert sorted(seen) == sorted(learned)
    assert all(completion[-1] == END_OF_TEXT for completion in learned)
    # The ids mean to the network what they meant to the tokenizer: far from guessing among 4,096.
    assert sum(losses) / len(losses) < 5.5


def test_packed_rows_train_without_attention_between_examples(built: Path, stackfim: Run, tmp_path: Path) -> None:
    done = stackfim("render", built, "--out", tmp_path / "packed", "--tokenizer", TINY, "--pack", PACK)
    assert done.returncode == 0, done.stderr
    rows = datasets.load_dataset(str(tmp_path / "packed"), cache_dir=str(tmp_path / "cache"), split="train")
    network = model.load("tiny", dtype="float32", device="cpu").network
    assert isinstance(network, Refact)
    row = rows.with_format("numpy")[0]
    assert len(row["input_ids"]) == PACK
    lengths = row["seq_lens"].tolist()
    assert sum(lengths) == PACK
    # The first token of each example is predicted by none before it.
    weights = row["loss_mask"].astype("float32")[1:]
    ids = row["input_ids"].astype("int64")
    batch = Batch(ids[:-1], ids[1:], weights, 0 * weights, [*lengths[:-1], lengths[-1] - 1])
    assert batch_loss(network, batch).item() < 5.5
