"""What a finished run says of itself: the manifest and the dataset card, made from the markers of its shards."""

import json
from collections import Counter
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from stackfim.pipeline.config.run_config import RunConfig
from stackfim.pipeline.config.scoring_model import Scoring
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.counts import EXAMPLE_COUNTS
from stackfim.pipeline.folder.storage import FileRecord, Storage
from stackfim.pipeline.sources import Shard
from stackfim.schemas.manifest import FORMAT, check_manifest
from stackfim.transforms.languages import grammar_versions
from stackfim.transforms.score.diagnostics import summary

_LIBRARIES = ("apache-beam", "datasketch", "numpy", "pyarrow", "tree-sitter", "license-expression")


class BrokenPromise(RuntimeError):
    """The counts of a run do not add up: a row was lost or doubled."""


def stackfim_version() -> str:
    """Version of the installed distribution."""
    return version("stackfim")


def versions(config: RunConfig) -> dict[str, str]:
    """Versions that the rows of a run depend on, by distribution."""
    return {library: version(library) for library in _LIBRARIES} | grammar_versions(config.grammars)


def make_manifest(
    storage: Storage,
    run_key: str,
    identity: dict[str, Any],
    shards: list[Shard],
    config: RunConfig,
    attribution: FileRecord,
    scoring: Scoring | None = None,
) -> dict:
    """The manifest of a run whose shards are all complete.

    Raises BrokenPromise when the files that came in are not those that gave examples, were rejected or were removed.
    """
    filtered: Counter[str] = Counter()
    split: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    unsupported: Counter[str] = Counter()
    files: list[dict] = [attribution.as_dict()]
    for shard in shards:
        first, second = (storage.read_json(path(shard.index)) for path in (paths.filtered_marker, paths.split_marker))
        if first is None or second is None:
            raise BrokenPromise(f"shard {shard.index} has no marker although the run ended")
        filtered.update(first["counts"])
        split.update(second["counts"])
        rows.update({f"partition:{name}": count for name, count in second["rows"].items()})
        unsupported.update(first["unsupported_languages"])
        files += [file for file in first["files"] if not file["path"].startswith(paths.WORK)] + second["files"]
    both = filtered + split
    rejected = {name.removeprefix("rejected:"): count for name, count in both.items() if name.startswith("rejected:")}
    dropped_files = sum(count for name, count in rejected.items() if name.startswith("file:"))
    counts = {
        "files_in": filtered["rows_in"],
        "files_rejected": dropped_files,
        "files_removed": split["removed"],
        "files_with_examples": split["files_with_examples"],
        "examples": split["examples"],
        "examples_rejected": sum(rejected.values()) - dropped_files,
    }
    if counts["files_in"] != counts["files_rejected"] + counts["files_removed"] + counts["files_with_examples"]:
        raise BrokenPromise(f"files in are not files with examples, rejected and removed: {counts}")
    examples = {name: count for name, count in split.items() if name.partition(":")[0] in EXAMPLE_COUNTS}
    return check_manifest(
        {
            "format": FORMAT,
            "version": stackfim_version(),
            "versions": versions(config),
            "run_key": run_key,
            "source": json.dumps(identity, sort_keys=True),
            "locators": [shard.locator for shard in shards],
            "configuration": json.dumps(config.recorded(), sort_keys=True),
            "counts": counts,
            "rejected": dict(sorted(rejected.items())),
            "relabelled": _by_prefix(filtered, "relabelled:"),
            "redacted": _by_prefix(split, "redacted:"),
            "removed": _by_prefix(split, "removed:"),
            "examples": dict(sorted((examples | rows).items())),
            "refused": _by_prefix(split, "refused:"),
            "unsupported_languages": dict(sorted(unsupported.items())),
            "files": sorted(files, key=lambda file: file["path"]),
        }
        | ({"scoring": scoring_text(scoring.recorded(), split)} if scoring is not None else {})
    )


def scoring_text(settings: dict[str, Any], tallies: Mapping[str, int]) -> str:
    """What the manifest says of the scoring, as JSON text: its settings, and the diagnostics from the sum of all tallies."""
    return json.dumps({"settings": settings, "diagnostics": summary(tallies)}, sort_keys=True)


def _by_prefix(counts: Counter[str], prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): count for name, count in sorted(counts.items()) if name.startswith(prefix)}


def dataset_card(manifest: dict) -> str:
    """README.md of the data: Hugging Face metadata, so that `load_dataset(DIR)` gives train and validation, and what is in it."""
    counts, examples = manifest["counts"], manifest["examples"]
    by_prefix = {
        prefix: sorted(
            ((name.partition(":")[2], count) for name, count in examples.items() if name.startswith(f"{prefix}:")),
            key=lambda pair: -pair[1],
        )
        for prefix in ("category", "kind", "language")
    }
    configuration = json.loads(manifest["configuration"])
    source = json.loads(manifest["source"])
    lines = [
        "---",
        "configs:",
        "- config_name: default",
        # Of the run: `datasets` caches a folder by its path and this, and would give the rows of an earlier run there.
        f"  version: 0.0.{int(manifest['run_key'][:8], 16)}",
        "  data_files:",
        "  - split: train",
        "    path: data/train-*.parquet",
        "  - split: validation",
        "    path: data/validation-*.parquet",
        "task_categories:",
        "- text-generation",
        "tags:",
        "- code",
        "- fill-in-the-middle",
        "---",
        "# Fill-in-the-middle examples",
        "",
        f"Made by stackfim {manifest['version']} from `{source.get('location', source)}`. Every row gives prefix, middle",
        "and suffix as text, without sentinels; `manifest.json` has the configuration, all counts and a checksum of every file.",
        "",
        f"{counts['examples']:,} examples from {counts['files_with_examples']:,} of {counts['files_in']:,} files;",
        f"{counts['files_rejected']:,} files were rejected (`rejections/`),",
        f"{counts['files_removed']:,} were duplicates (`removals/`).",
        "",
    ]
    for title, prefix in (("Category", "category"), ("Kind", "kind"), ("Language", "language")):
        lines += [
            f"| {title} | Examples |",
            "|---|---:|",
            *(f"| {name} | {count:,} |" for name, count in by_prefix[prefix]),
            "",
        ]
    purged = configuration.get("purged", [])
    if purged:
        taken = manifest["rejected"].get("file:purge:opted_out", 0)
        lines += [
            "## Taken down",
            "",
            f"{taken:,} files of {sum(record['names'] for record in purged):,} named repositories and owners were taken out "
            "on request after",
            "the data set was made (`stackfim purge`).",
            "",
        ]
    lines += ["## Licenses", "", *_license_lines(configuration), ""]
    return "\n".join(lines)


def _license_lines(configuration: dict[str, Any]) -> list[str]:
    licenses, filters = configuration["licenses"], configuration["filters"]
    named = {"permissive": "permissive and public domain licenses", "stack-v1": "the licenses of The Stack v1"}
    allowed = (
        named.get(licenses, "public domain licenses")
        if isinstance(licenses, str)
        else f"a list of {len(licenses)} licenses"
    )
    if "license" in filters["switched_off"]:
        return ["Licenses were not looked at. Each row names repository, path, revision and licenses of its file."]
    stays = {"all": "all are", "any": "at least one is"}[filters["license_policy"]]
    also = [
        text
        for key, text in (
            ("allow_unknown_licenses", "Licenses that are not known count as allowed."),
            ("allow_missing_licenses", "Repositories without a license are among them."),
        )
        if filters[key]
    ]
    lines = [
        f"Rows are from repositories of whose licenses {stays} on the allow-list ({allowed}).",
        *also,
        "Each row names repository, path, revision and licenses of the file it was made from, and `ATTRIBUTION.parquet` lists",
        "all repositories; whoever passes rows on keeps to those licenses.",
    ]
    if configuration.get("opt_outs"):
        lines.append(f"{configuration['opt_outs']['names']:,} repositories and owners had asked to be left out.")
    return lines
