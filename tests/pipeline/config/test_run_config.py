"""The configuration: its defaults are those of the stages, and the run's own keys reach them."""

import re
from pathlib import Path

import pytest

from stackfim.pipeline.config.loading import load_config
from stackfim.pipeline.config.run_config import RunConfig
from stackfim.pipeline.config.score_section import ScoreSection
from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.config.validation import config_of
from stackfim.transforms.dedup.dedup_settings import DedupSettings, preset
from stackfim.transforms.filters.filter_settings import FilterPlan
from stackfim.transforms.score.score_settings import DEFAULT_ACTIONS
from stackfim.transforms.split.split_settings import SplitSettings

PAGES = Path(__file__).parents[3]


def test_an_empty_configuration_has_the_defaults_of_every_stage() -> None:
    config = config_of({})
    assert config == RunConfig()
    assert config.dedup_settings() == DedupSettings()
    assert config.split_settings() == SplitSettings()
    assert config.filter_plan() == FilterPlan()


@pytest.mark.parametrize("page", ["README.md", "docs/filters.md", "docs/scoring.md"])
def test_what_the_pages_show_is_a_configuration(page: str, tmp_path: Path) -> None:
    examples = re.findall(r"```toml\n(.*?)```", (PAGES / page).read_text("utf-8"), re.DOTALL)
    assert examples
    for example in examples:
        file = tmp_path / "run.toml"
        file.write_text(example, "utf-8")
        assert load_config(file) != RunConfig()


def test_what_is_given_reaches_the_stage() -> None:
    config = config_of(
        {
            "seed": 7,
            "context_bytes": 500,
            "languages": ["python", "Python", "golang"],
            "licenses": "stack-v1",
            "pii": "drop",
            "filters": {"max_line_chars": 10, "switched_off": ["markup"], "limits": {"*": {"min_chars": 3}}},
            "dedup": {"threshold": 0.8},
            "split": {"max_slots": 4, "limits": {"max_lines": 5}, "half_written": {"share": 0, "count_weights": [1]}},
        }
    )
    split = config.split_settings()
    assert (split.seed, split.context_bytes, split.max_slots, split.limits.max_lines) == (7, 500, 4, 5)
    assert (split.half_written.share, split.half_written.count_weights) == (0.0, (1.0,))
    assert split.limits.max_chars == SplitSettings().limits.max_chars
    assert config.dedup_settings() == DedupSettings(threshold=0.8)
    plan = config.filter_plan()
    assert plan.languages == frozenset({"Python", "Go"})
    assert (plan.settings.max_line_chars, plan.settings.switched_off) == (10, ("markup",))
    assert plan.settings.limits == {"*": {"min_chars": 3.0}}
    assert (plan.secrets, plan.personal_data) == ("drop", "drop")


def test_weights_that_are_left_out_are_0() -> None:
    split = config_of({"split": {"category_weights": {"empty": 12, "single_line": 43}}}).split_settings()
    assert split.category_weights == {"empty": 12.0, "single_line": 43.0}


def test_a_preset_stands_for_what_is_not_given() -> None:
    assert config_of({"dedup": {"preset": "stack-v1"}}).dedup_settings() == preset("stack-v1")
    changed = config_of({"dedup": {"bands": 5, "preset": "starcoder"}}).dedup
    assert (changed.bands, changed.rows, changed.permutations) == (5, 10, 256)


def test_near_duplicates_can_be_kept() -> None:
    assert config_of({"dedup": {"near": False}}).dedup_settings() is None


def test_labelling_drops_nothing() -> None:
    labelling = config_of({"seed": 3, "score": {"actions": {"unlikely": "drop"}}}).labelling()
    assert labelling.score.actions == dict.fromkeys(DEFAULT_ACTIONS, "label")
    assert labelling.seed == 3


def test_the_help_names_the_default_model() -> None:
    from stackfim.pipeline.commands.build import MODEL_HELP

    assert f"[default: {ScoreSection().model}]" in MODEL_HELP


def test_the_record_has_what_rows_depend_on_as_json_values(tmp_path: Path) -> None:
    licenses, opt_out, texts = tmp_path / "licenses.txt", tmp_path / "out.txt", tmp_path / "texts.jsonl"
    licenses.write_text("MIT\nX11 # old\n")
    opt_out.write_text("owner/name\n")
    texts.write_text('{"task_id": 1, "text": "x", "code": "y"}\n')
    values = {
        "seed": 9,
        "languages": ["go", "C"],
        "licenses": str(licenses),
        "opt_out": str(opt_out),
        "benchmarks": [{"path": str(texts), "format": "mbpp"}],
        "score": {"model": "none"},
    }
    recorded = config_of(values).recorded()
    assert recorded["languages"] == ["C", "Go"]
    assert recorded["licenses"] == ["mit", "x11"]
    assert recorded["opt_outs"]["names"] == 1
    assert recorded["benchmarks"][0]["path"] == "texts.jsonl"
    assert (recorded["split"]["seed"], recorded["split"]["limits"]["max_lines"]) == (9, 32)
    assert "owner" not in str(recorded)
    assert not {"score", "opt_out", "keep_work", "against"} & set(recorded)
    elsewhere = tmp_path / "elsewhere.txt"
    elsewhere.write_text(licenses.read_text())
    assert config_of(values | {"licenses": str(elsewhere)}).recorded() == recorded
    texts.write_text('{"task_id": 1, "text": "x", "code": "z"}\n')
    assert config_of(values).recorded() != recorded


def test_a_benchmark_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    config = config_of({"benchmarks": [{"path": str(tmp_path / "none.jsonl"), "format": "mbpp"}]})
    with pytest.raises(UsageError, match=r"^benchmarks: .*none.jsonl: no such file"):
        config.benchmark_texts()


def test_a_library_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stackfim.pipeline.config.run_config.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="comments_language is en, which needs py3langid: pip install"):
        config_of({"comments_language": "en"}).filter_plan()


def test_legacy_grammars_that_are_missing_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stackfim.pipeline.config.run_config.has_legacy_grammars", lambda: False)
    with pytest.raises(UsageError, match="grammars has legacy, which needs tree-sitter-languages"):
        config_of({"grammars": ["official", "legacy"]})
