"""The graph for Dataflow is complete, and building it needs no network."""

import importlib.util
from pathlib import Path

import apache_beam as beam
import pytest

from stackfim.pipeline.build.graph import Plan, ScorePlan, add_to
from stackfim.pipeline.build.readers import ShardTask
from stackfim.pipeline.build.run_context import RunContext
from stackfim.pipeline.config.run_config import RunConfig
from stackfim.pipeline.folder.fingerprints import FingerprintFiles
from stackfim.pipeline.folder.storage import Storage
from stackfim.pipeline.sources import open_source
from stackfim.transforms.score.model_spec import ModelSpec
from stackfim.transforms.score.score_settings import ScoreSettings
from tests.pipeline.fixture_types import Run


def _has_google_cloud() -> bool:
    try:
        return importlib.util.find_spec("google.cloud.storage") is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not _has_google_cloud(), reason="needs the extra `dataflow`: make test-slow installs it")
def test_a_dry_run_on_dataflow_builds_the_graph_and_touches_nothing(source_folder: Path, stackfim: Run) -> None:
    done = stackfim(
        "build", f"parquet:{source_folder}", "--out", "gs://bucket/out", "--",
        "--runner=DataflowRunner", "--dry_run=True", "--no_auth", "--project=project", "--region=europe-west1",
        "--temp_location=gs://bucket/tmp",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "dry run" in done.stdout


def test_the_graph_has_every_stage_and_carries_neither_content_nor_token(
    source_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret_of_the_launcher")
    source = open_source(f"parquet:{source_folder}")
    config = RunConfig()
    storage = Storage("gs://bucket/out")
    context = RunContext(storage, "0" * 64, 6, 0.01, None, config.dedup_settings(), FingerprintFiles(storage))
    tasks = [ShardTask(shard.index, shard.locator) for shard in source.shards()]
    pipeline = beam.Pipeline()
    plan = Plan(source, context, tasks, [], config.filter_plan(), config.split_settings(), "0", {})
    add_to(pipeline, plan)
    proto = pipeline.to_runner_api()
    names = {transform.unique_name for transform in proto.components.transforms.values()}
    stages = {
        "FilterShards": {"Read", "Filter", "Sign", "Write survivors"},
        "DecideDuplicates": {"Deduplicate", "Decide"},
        "SplitShards": {"Write decisions", "Read survivors", "Redact", "Split", "Write examples"},
    }
    assert {f"{part}/{stage}" for part, inside in stages.items() for stage in inside} <= names
    serialised = proto.SerializeToString()
    assert b"hf_secret_of_the_launcher" not in serialised
    # Dataflow takes 10 MB; what a shard adds is its locator.
    assert len(serialised) < 1_000_000


def test_what_is_fused_with_the_model_asks_for_the_same_machine(source_folder: Path) -> None:
    source = open_source(f"parquet:{source_folder}")
    config = RunConfig()
    storage = Storage("gs://bucket/out")
    context = RunContext(storage, "0" * 64, 6, 0.01, None, None, FingerprintFiles(storage), scored=True)
    hints = {"accelerator": "type:nvidia-l4;count:1;install-nvidia-driver", "min_ram": "8GB"}
    score = ScorePlan(ModelSpec("ORG/NAME", "f" * 40), ScoreSettings(), None, hints)
    tasks = [ShardTask(shard.index, shard.locator) for shard in source.shards()]
    plan = Plan(source, context, tasks, [], config.filter_plan(), config.split_settings(), "0", {}, score)
    pipeline = beam.Pipeline()
    add_to(pipeline, plan)
    components = pipeline.to_runner_api().components
    requests: dict[str, dict[str, bytes]] = {}
    for transform in components.transforms.values():
        if transform.spec.urn == "beam:transform:pardo:v1":
            hints_of_stage = components.environments[transform.environment_id].resource_hints
            requests[transform.unique_name] = dict(hints_of_stage)
    wanted = {
        "beam:resources:accelerator:v1": hints["accelerator"].encode(),
        "beam:resources:min_ram_bytes:v1": b"8000000000",
    }
    with_model = {name for name, request in requests.items() if request == wanted}
    stages = {"/".join(name.split("/")[:2]) for name in with_model}
    fused = ("Write decisions", "Read survivors", "Redact", "Split", "Score", "Write examples")
    assert stages == {f"SplitShards/{stage}" for stage in fused}
    assert any("RunInference" in name for name in with_model)
    assert all(not request for name, request in requests.items() if name not in with_model)
