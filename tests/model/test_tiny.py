"""The checkpoint that comes with the package: loads by name, scores, stops, and is as good as its card says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch

from stackfim import model
from stackfim.model.checkpoint import SHIPPED, Model
from stackfim.model.generation import chat, complete, generate
from stackfim.model.scorer import Scorer
from stackfim.model.training.card import card, figures_table
from stackfim.model.training.evaluate import BARS, figures, missed_bars
from stackfim.model.training.sequences import Example
from stackfim.transforms.render.families import STARCODER_SENTINELS

FOLDER = SHIPPED["tiny"]
DESCRIBED = json.loads((FOLDER / "training.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tiny() -> Model:
    """The shipped checkpoint in float32."""
    return model.load("tiny", dtype="float32", device="cpu")


def test_it_loads_by_its_name_and_is_small(tiny: Model) -> None:
    state = tiny.network.state_dict()
    weights = sum(weight.numel() for weight in state.values())
    embeddings = 2 * state["lm_head.weight"].numel()
    assert 1_400_000 < weights - embeddings < 1_600_000
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 16 << 20
    assert tiny.config.context_length == 512
    assert tiny.tokenizer is not None
    assert [tiny.tokenizer.sentinels[text] for text in STARCODER_SENTINELS] == list(range(19))


def test_a_folder_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert model.load("tiny").config.vocab_size == 4096
    os.mkdir("tiny")
    with pytest.raises(FileNotFoundError, match="config.json: not found"):
        model.load("tiny")


def test_its_folder_holds_a_checkpoint_its_limits_a_card_and_what_it_was_trained_on() -> None:
    checkpoint = {"config.json", "model.safetensors", "tokenizer.json", "stackfim.json"}
    assert {path.name for path in FOLDER.iterdir()} == checkpoint | {"README.md", "repositories.tsv", "training.json"}


def test_no_repository_is_both_trained_on_and_held_out() -> None:
    lines = (FOLDER / "repositories.tsv").read_text(encoding="utf-8").splitlines()[1:]
    trained_on = {line.split("\t")[0].rsplit("/")[-1].lower() for line in lines}
    held_out = {name.rsplit("/")[-1].lower() for name in DESCRIBED["data"]["held_out_repositories"]}
    assert len(trained_on) > 20
    assert len(held_out) > 3
    assert not trained_on & held_out
    assert all(line.split("\t")[2] for line in lines)


def test_the_card_says_what_was_measured(tiny: Model) -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    config = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
    assert text == card(DESCRIBED, config, sum(weight.numel() for weight in tiny.network.state_dict().values()))
    for measured in DESCRIBED["figures"].values():
        assert figures_table(measured) in text


def test_it_beats_the_5_gram_model_tells_garbage_and_names_every_bar_that_it_misses() -> None:
    measured = DESCRIBED["figures"]["held_out"]
    assert set(measured) == {"psm", "spm"}
    assert set(BARS) < set(measured["psm"])
    for values in measured.values():
        assert values["nll"] < values["ngram_nll"] - 0.3
        assert values["shuffled_worse"] >= BARS["shuffled_worse"]
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert DESCRIBED["missed_bars"] == missed_bars(measured)
    assert all(line in text for line in DESCRIBED["missed_bars"])


def test_the_sample_s_figures_are_measured_again(tiny: Model, own_examples: list[Example]) -> None:
    expected = DESCRIBED["figures"]["sample"]["psm"]
    measured = figures(tiny, own_examples, layouts=["psm"], context_tokens=DESCRIBED["context_tokens"])["psm"]
    counts = ("rows", "tokens", "ends", "silent", "shuffles")
    assert {name: measured[name] for name in counts} == {name: expected[name] for name in counts}
    for name in expected.keys() - set(counts):
        assert measured[name] == pytest.approx(expected[name], abs=0.02), name


def test_it_scores_a_row(tiny: Model) -> None:
    prefix, middle, suffix = "def area(width, height):\n    ", "return width * height", "\n\n\nprint(area(2, 3))\n"
    nonsense = "height width return *"
    code, mess, cut = Scorer(tiny).score([(prefix, text, suffix) for text in (middle, nonsense, "return width *")])
    for layout in ("psm", "spm"):
        scores = [row.scores[layout] for row in (code, mess, cut)]
        assert scores[0] is not None
        assert scores[1] is not None
        assert scores[2] is not None
        assert scores[0].nll < scores[1].nll
        assert scores[0].p_eot_end > scores[2].p_eot_end


def test_the_card_s_example_runs_and_stops(tiny: Model) -> None:
    prefix, suffix = 'def print_hello_world():\n    """', '\n    print("Hello world!")'
    written = complete(tiny, prefix, suffix)
    assert written.stop == "end_of_text"
    assert tiny.tokenizer is not None
    head, tail = map(tiny.tokenizer.encode, (prefix, suffix))
    prompt = [1, *head, 3, *tail, 2]
    assert generate(tiny, prompt) == written
    # It has never seen a conversation; the template must run all the same.
    assert chat(tiny, "How do I sort a list?", max_new_tokens=5).stop in ("end_of_text", "max_new_tokens")


def test_bfloat16_scores_are_close(tiny: Model, own_examples: list[Example]) -> None:
    rows = [example.row for example in own_examples[:8]]
    low = model.load("tiny", device="cpu")
    assert low.network.state_dict()["lm_head.weight"].dtype is torch.bfloat16
    for one, other in zip(*(Scorer(of, layouts=["psm"]).score(rows) for of in (tiny, low)), strict=True):
        scores = one.scores["psm"], other.scores["psm"]
        assert scores[0] is not None
        assert scores[1] is not None
        assert scores[0].nll == pytest.approx(scores[1].nll, abs=0.05)
