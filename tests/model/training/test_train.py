"""Training on real examples: the loss falls, the same seed gives the same bytes, and a killed run ends with them too."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from stackfim import model
from stackfim.model.refact import Refact
from stackfim.model.tokenizer import Tokenizer
from stackfim.model.training.loop import (
    Training,
    TrainingSettings,
    batch_loss,
    early_dropout,
    learning_rate,
    optimizer_of,
    residual_dropout,
    train,
    with_steps,
)
from stackfim.model.training.sequences import Example, SequenceSettings, batches
from stackfim.model.training.tokenizer import train_tokenizer
from stackfim.model.training.train import repositories_table, tokenizer_texts
from tests.waiting import wait_until

SMALL = TrainingSettings(
    steps=12,
    sequences=SequenceSettings(batch_tokens=512, longest=256),
    n_embd=48,
    n_layer=1,
    n_head=2,
    n_positions=256,
    vocabulary=1024,
    learning_rate=3e-3,
    warm_up_steps=3,
    dropout_steps=6,
    cool_down_step=6,
)


@pytest.fixture(scope="module")
def own_tokenizer(own_examples: list[Example]) -> Tokenizer:
    """A tokenizer learned from the examples."""
    return train_tokenizer(tokenizer_texts(own_examples), SMALL.vocabulary)


@pytest.fixture(scope="module")
def trained(own_examples: list[Example], own_tokenizer: Tokenizer) -> Training:
    """A network after twelve steps on the examples."""
    return train(own_examples, own_tokenizer, SMALL)


def same_weights(one: Refact, other: Refact) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_the_loss_falls(own_examples: list[Example], own_tokenizer: Tokenizer) -> None:
    # Only the loss of the targets: where a middle does not end, a new network gives end-of-text no probability to lose.
    targets_only = replace(SMALL.sequences, line_end_weight=0.0, later_end_weight=0.0)
    losses = train(own_examples, own_tokenizer, replace(SMALL, steps=40, sequences=targets_only)).losses
    assert len(losses) == 40
    assert losses[0] == pytest.approx(torch.tensor(1024.0).log().item(), abs=0.2)
    assert sum(losses[-10:]) / 10 < losses[0] - 1.0


def test_the_same_seed_gives_the_same_bits_and_another_others(
    own_examples: list[Example], own_tokenizer: Tokenizer, trained: Training
) -> None:
    again = train(own_examples, own_tokenizer, SMALL)
    assert again.losses == trained.losses
    assert same_weights(again.network, trained.network)
    other = train(own_examples, own_tokenizer, replace(SMALL, steps=2, sequences=replace(SMALL.sequences, seed=1)))
    assert other.losses[0] != trained.losses[0]


@pytest.mark.parametrize("broken_off", [1, 5, 11])
def test_what_was_broken_off_ends_with_the_same_bits(
    own_examples: list[Example], own_tokenizer: Tokenizer, trained: Training, tmp_path: Path, broken_off: int
) -> None:
    state = tmp_path / "state.pt"

    class Killed(Exception):
        pass

    saves = 0

    def kill_after_a_save(_source: object, _target: object) -> None:
        nonlocal saves
        os.rename(str(_source), str(_target))
        saves += 1
        if saves == broken_off:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stackfim.model.training.loop.os.replace", kill_after_a_save)
        with pytest.raises(Killed):
            train(own_examples, own_tokenizer, SMALL, state=state, state_seconds=0.0)
    # Draws in between must not matter, since the state holds the generator of the dropout.
    torch.manual_seed(99)
    whole = train(own_examples, own_tokenizer, SMALL, state=state)
    assert whole.losses == trained.losses
    assert (whole.tokens, whole.position) == (trained.tokens, trained.position)
    assert same_weights(whole.network, trained.network)


RUN = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from stackfim.model.training.train import *
from stackfim.model.training.sequences import SequenceSettings
settings = {settings!r}
train_folder(Path(sys.argv[1]), Path(sys.argv[2]), settings, device="cpu", origin="a test", state_seconds=0.0)
"""


def test_a_killed_process_is_taken_up_and_leaves_the_same_bytes(
    run_folder: Callable[..., Path], tmp_path: Path
) -> None:
    folder = run_folder()
    program = RUN.format(settings=replace(SMALL, steps=40, held_out_share=0.2))

    def start(out: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", program, str(folder), str(out)], stdout=subprocess.DEVNULL)

    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = start(killed)
    wait_until((tmp_path / "killed.part" / "state.pt").exists, process)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not killed.exists()
    for out in (killed, whole):
        assert start(out).wait() == 0
    files = sorted(path.name for path in whole.iterdir())
    assert files == ["config.json", "model.safetensors", "repositories.tsv", "tokenizer.json", "training.json"]
    for name in files:
        assert (killed / name).read_bytes() == (whole / name).read_bytes(), name
    assert not (tmp_path / "whole.part").exists()

    loaded = model.load(whole, dtype="float32")
    assert loaded.config.context_length == 256
    described = json.loads((whole / "training.json").read_text())
    held_out = set(described["data"]["held_out_repositories"])
    assert held_out
    lines = [line.split("\t") for line in (whole / "repositories.tsv").read_text().splitlines()]
    assert lines[0] == ["repository", "revision", "licenses", "examples"]
    assert not {line[0] for line in lines[1:]} & held_out
    assert {line[2] for line in lines[1:]} == {"Apache-2.0"}
    assert sum(int(line[3]) for line in lines[1:]) == described["data"]["examples"]
    assert described["data"]["examples"] + described["data"]["held_out_examples"] == 195


def test_another_training_in_the_same_place_is_refused(run_folder: Callable[..., Path], tmp_path: Path) -> None:
    from stackfim.model.training.sequences import TrainingDataError
    from stackfim.model.training.train import train_folder

    part = tmp_path / "out.part"
    part.mkdir()
    (part / "training.json").write_text("{}")
    with pytest.raises(
        TrainingDataError, match=r"out\.part holds the state of a training on other data or with other settings"
    ):
        train_folder(run_folder(), tmp_path / "out", SMALL, device="cpu", origin="")


def test_weights_are_updated_by_the_sign_alone(own_examples: list[Example], own_tokenizer: Tokenizer) -> None:
    # Lion: every weight of a norm moves by the rate, whatever its gradient.
    network = train(own_examples, own_tokenizer, replace(SMALL, steps=1, warm_up_steps=1)).network
    moved = (network.ln_f.weight - 1).abs()
    assert torch.allclose(moved[moved > 0], torch.full_like(moved[moved > 0], SMALL.learning_rate), atol=1e-6)
    assert (moved > 0).float().mean() > 0.9


def test_packed_examples_have_the_loss_that_each_has_alone(
    own_examples: list[Example], own_tokenizer: Tokenizer, trained: Training
) -> None:
    _, batch = next(batches(own_examples, own_tokenizer, SMALL.sequences))
    whole = batch_loss(trained.network, batch)
    total, begin = 0.0, 0
    for size in batch.segments:
        place = slice(begin, begin + size)
        one = replace(
            batch,
            input_ids=batch.input_ids[place],
            targets=batch.targets[place],
            weights=batch.weights[place],
            no_end_weights=batch.no_end_weights[place],
            segments=[size],
        )
        total += batch_loss(trained.network, one).item() * (one.weights.sum() + one.no_end_weights.sum())
        begin += size
    assert len(batch.segments) > 2
    assert whole.item() == pytest.approx(total / (batch.weights.sum() + batch.no_end_weights.sum()), abs=1e-4)
    assert batch_loss(trained.network, batch, padded_to=600).item() == pytest.approx(whole.item(), abs=1e-5)


def test_dropout_is_early_and_leaves_no_trace(trained: Training) -> None:
    settings = TrainingSettings(steps=100, dropout=0.2, dropout_steps=10)
    assert [early_dropout(step, settings) for step in (0, 5, 10, 50)] == pytest.approx([0.2, 0.1, 0.0, 0.0])
    assert early_dropout(0, replace(settings, dropout_steps=0)) == 0.0
    ids = torch.arange(30)[None]
    expected = trained.network(ids)
    with residual_dropout(trained.network) as set_probability:
        assert torch.equal(trained.network(ids), expected)
        set_probability(0.5)
        assert not torch.equal(trained.network(ids), expected)
    assert torch.equal(trained.network(ids), expected)


def test_end_of_text_is_unlikely_where_a_middle_does_not_end(
    own_examples: list[Example], own_tokenizer: Tokenizer, trained: Training
) -> None:
    _, batch = next(batches(own_examples, own_tokenizer, SMALL.sequences))
    only_ends = replace(batch, weights=np.zeros_like(batch.weights))
    at = only_ends.no_end_weights > 0
    logits = trained.network(torch.from_numpy(batch.input_ids)[None], segments=batch.segments)[0][torch.from_numpy(at)]
    expected = -torch.log1p(-logits.softmax(-1)[:, 0]) * torch.from_numpy(only_ends.no_end_weights[at])
    found = batch_loss(trained.network, only_ends).item()
    assert found == pytest.approx(expected.sum().item() / only_ends.no_end_weights.sum(), rel=1e-4)
    assert found > 0


def test_the_rate_warms_up_stays_and_cools_down_straight() -> None:
    settings = TrainingSettings(
        steps=1000, learning_rate=1e-3, last_learning_rate=1e-5, warm_up_steps=100, cool_down_step=600
    )
    rates = [learning_rate(step, settings) for step in range(1000)]
    assert rates[0] == pytest.approx(1e-5)
    assert rates[99:601] == pytest.approx([1e-3] * 502)
    assert rates[800] == pytest.approx((1e-3 + 1e-5) / 2)
    assert rates[-1] == pytest.approx(1e-5, abs=3e-6)
    assert all(one < other for one, other in itertools.pairwise(rates[:100]))
    assert all(one > other for one, other in itertools.pairwise(rates[600:]))


def test_norms_do_not_decay(trained: Training) -> None:
    groups = optimizer_of(trained.network, SMALL).param_groups
    assert [group["weight_decay"] for group in groups] == [SMALL.weight_decay, 0.0]
    assert all(weight.dim() == 1 for weight in groups[1]["params"])
    assert sum(len(group["params"]) for group in groups) == len(list(trained.network.parameters()))


def test_the_tokenizer_has_starcoder_s_sentinels_and_learns_the_same_again(
    own_examples: list[Example], own_tokenizer: Tokenizer
) -> None:
    assert own_tokenizer.size == SMALL.vocabulary
    assert [own_tokenizer.sentinels[text] for text in ("<|endoftext|>", "<fim_prefix>", "<reponame>")] == [0, 1, 18]
    again = train_tokenizer(tokenizer_texts(own_examples), SMALL.vocabulary)
    assert again.definition == own_tokenizer.definition
    assert own_tokenizer.decode(own_tokenizer.encode("x = 12 <fim_middle>\r\n\tñ")) == "x = 12 <fim_middle>\r\n\tñ"
    assert len(own_tokenizer.encode("    return self")) < 5


def test_a_file_is_learned_from_once(own_examples: list[Example]) -> None:
    files = {example.content_id for example in own_examples}
    assert len(list(tokenizer_texts(own_examples))) == len(files)
    assert sum(map(len, tokenizer_texts(own_examples, 5_000))) <= 5_000


def test_the_table_of_repositories(own_examples: list[Example]) -> None:
    one = replace(own_examples[0], repository="a/b", revision="1", licenses=("MIT", "ISC"))
    assert repositories_table([one, own_examples[0], one]).splitlines()[1:] == [
        "\t".join([own_examples[0].repository, own_examples[0].revision, "Apache-2.0", "1"]),
        "a/b\t1\tMIT ISC\t2",
    ]


def test_more_steps_stretch_the_whole_schedule() -> None:
    settings = TrainingSettings()
    twice = with_steps(settings, 2 * settings.steps)
    for step in (10, 500, 1_500, settings.steps - 1):
        assert learning_rate(2 * step, twice) == pytest.approx(learning_rate(step, settings), rel=0.05)
        assert early_dropout(2 * step, twice) == pytest.approx(early_dropout(step, settings))
    assert with_steps(settings, settings.steps) == settings
