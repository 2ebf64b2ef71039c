"""The same graph for Dataflow: built whole, without a network."""

import importlib.util
from pathlib import Path

import apache_beam as beam
import pytest

from stackfim.pipeline.config.run_config import RunConfig
from stackfim.pipeline.folder.fingerprints import FingerprintFiles
from stackfim.pipeline.build.graph import Plan, ScorePlan, add_to
from stackfim.pipeline.build.shard_keys import RunContext
from stackfim.pipeline.sources import open_source
from stackfim.pipeline.folder.storage import Storage
from stackfim.transforms.score.model_spec import ModelSpec
from stackfim.transforms.score.score_settings import ScoreSettings


def _has_google_cloud() -> bool:
    try:
        return importlib.util.find_spec("google.cloud.storage") is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not _has_google_cloud(), reason="needs the extra `dataflow`: make test-slow installs it")
def test_a_dry_run_on_dataflow_builds_the_graph_and_touches_nothing(source_folder: Path, stackfim) -> None:
    done = stackfim(
        "build", f"parquet:{source_folder}", "--out", "gs://bucket/out", "--",
        "--runner=DataflowRunner", "--dry_run=True", "--no_auth", "--project=project", "--region=europe-west1",
        "--temp_location=gs://bucket/tmp",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "dry run" in done.stdout


def test_the_graph_has_every_stage_and_carries_neither_content_nor_token(source_folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret_of_the_launcher")
    source = open_source(f"parquet:{source_folder}")
    config = RunConfig()
    storage = Storage("gs://bucket/out")
    context = RunContext(storage, "0" * 64, 6, 0.01, None, config.dedup_settings(), FingerprintFiles(storage))
    tasks = [(shard.index, 6, shard.locator) for shard in source.shards()]
    pipeline = beam.Pipeline()
    plan = Plan(
        source, context, tasks, [], config.filter_settings(), config.split_settings(), "0", {}, None, config.pii
    )
    add_to(pipeline, plan)
    proto = pipeline.to_runner_api()
    names = {transform.unique_name for transform in proto.components.transforms.values()}
    assert {"Read", "Filter", "Write survivors", "Deduplicate", "Redact", "Split", "Write examples"} <= names
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
    tasks = [(shard.index, 6, shard.locator) for shard in source.shards()]
    plan = Plan(
        source, context, tasks, [], config.filter_settings(), config.split_settings(), "0", {}, None, "keep", score
    )
    pipeline = beam.Pipeline()
    add_to(pipeline, plan)
    components = pipeline.to_runner_api().components
    environments: dict[str, dict[str, bytes]] = {}
    for transform in components.transforms.values():
        if transform.spec.urn == "beam:transform:pardo:v1":
            asked = components.environments[transform.environment_id].resource_hints
            environments[transform.unique_name] = dict(asked)
    wanted = {
        "beam:resources:accelerator:v1": hints["accelerator"].encode(),
        "beam:resources:min_ram_bytes:v1": b"8000000000",
    }
    with_model = {name for name, asked in environments.items() if asked == wanted}
    stages = {name.partition("/")[0] for name in with_model}
    assert stages == {"Read survivors", "Redact", "Split", "Score", "Write examples"}
    assert any("RunInference" in name for name in with_model)
    assert all(not asked for name, asked in environments.items() if name not in with_model)
