"""The same graph for Dataflow: built whole, without a network."""

import importlib.util
from pathlib import Path

import apache_beam as beam
import pytest

from pipeline.config import RunConfig
from pipeline.fingerprints import FingerprintFiles
from pipeline.graph import Plan, add_to
from pipeline.passes import RunContext
from pipeline.sources import open_source
from pipeline.storage import Storage


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
