"""README.md of every folder with data: Hugging Face metadata, so that `load_dataset` finds the partitions, and what the data are.

`datasets` caches what it loaded by the path of the folder and the version in its card. The version here is made from the
run key, so that a folder that was used before gives its own rows and not those of an earlier run.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.counts import PARTITION, by_prefix
from stackfim.schemas.derived import MixtureReport, RenderingReport, ScoringReport
from stackfim.schemas.manifest import Manifest
from stackfim.schemas.mixed import CHAT, FIM
from stackfim.schemas.record import FileRecord, Report

_LICENSES = {
    "permissive": "permissive and public domain licenses",
    "stack-v1": "the licenses of The Stack v1",
    "public-domain": "public domain licenses",
}
# What YAML takes for text as it stands.
_PLAIN = re.compile(r"[\w./*-]+")


def run_card(manifest: Manifest) -> str:
    """The card of a run, or of one that was purged."""
    counts = manifest.counts
    text = [
        f"Made by stackfim {manifest.version} from {_source(manifest.source)}. Every row gives prefix, middle",
        "and suffix as text, without sentinels; `manifest.json` has the configuration, all counts and a checksum of every file.",
        "",
        f"{counts['examples']:,} examples from {counts['files_with_examples']:,} of {counts['files_in']:,} files;",
        f"{counts['files_rejected']:,} files were rejected (`rejections/`),",
        f"{counts['files_removed']:,} were duplicates (`removals/`).",
        "",
    ]
    for title, prefix in (("Category", "category:"), ("Kind", "kind:"), ("Language", "language:")):
        found = sorted(by_prefix(manifest.examples, prefix).items(), key=lambda pair: -pair[1])
        text += _table((title, "Examples"), found)
    text += _taken_down(manifest.configuration.get("purged", []), manifest.rejected.get("file:purge:opted_out", 0))
    text += ["## Licenses", "", *_license_lines(manifest.configuration)]
    return _card(manifest, by_prefix(manifest.examples, f"{PARTITION}:"), "Fill-in-the-middle examples", text)


def _taken_down(purged: Sequence[Mapping[str, Any]], files: int) -> list[str]:
    """What was purged, by the records of the opt-out lists; nothing where there are none."""
    if not purged:
        return []
    names = sum(record["names"] for record in purged)
    return [
        "## Taken down",
        "",
        f"{files:,} files of {names:,} named repositories and owners were taken out on request after",
        "the data set was made (`stackfim purge`).",
        "",
    ]


def rendering_card(report: RenderingReport) -> str:
    """The card of rendered examples."""
    text = [
        f"Made by stackfim {report.version} in the format of `{report.settings['family']}`; "
        f"`{paths.RENDERING}` has all settings."
    ]
    if report.pack_tokens:
        share = report.counts.get("padding_tokens", 0) / max(report.counts.get("tokens", 0), 1)
        text.append(f"Packed into rows of {report.pack_tokens:,} tokens; {share:.2%} of all tokens are padding.")
    return _card(report, by_prefix(report.counts, f"{PARTITION}:"), "Fill-in-the-middle examples, rendered", text)


def scoring_card(report: ScoringReport) -> str:
    """The card of scored examples."""
    counts = report.counts
    text = [
        f"Made by stackfim {report.version} with the model `{report.settings['model']}`; `{paths.SCORING}` has limits, "
        "counts and distributions.",
        f"{counts['examples']:,} of {counts['examples_in']:,} examples are left.",
        "",
        "| Verdict | Examples | |",
        "|---|---:|---|",
    ]
    for prefix, folder in (("verdict:", paths.DATA), ("rejected:example:", paths.REJECTIONS)):
        text += [f"| {name} | {count:,} | in `{folder}/` |" for name, count in by_prefix(counts, prefix).items()]
    text += ["", *_taken_down(report.settings.get("purged", []), counts.get("files_purged", 0))]
    return _card(report, by_prefix(counts, f"{PARTITION}:"), "Fill-in-the-middle examples, scored", text)


def mixture_card(report: MixtureReport) -> str:
    """The card of a mixture of examples and conversations."""
    tokens = report.train_tokens
    text = [
        f"Made by stackfim {report.version}: the training partition has {tokens[FIM]:,} tokens of examples for "
        f"`{report.settings['family']}` and {tokens[CHAT]:,} of conversations from `{report.chat.source}` "
        f"({report.chat_share:.2%}); `{paths.MIXTURE}` has settings and counts."
    ]
    rows = {paths.TRAIN: sum(tokens.values()), paths.VALIDATION: report.counts.get("validation_rows", 0)}
    return _card(report, rows, "Fill-in-the-middle examples and conversations", text)


def _card(report: Report, rows: Mapping[str, int], title: str, text: Iterable[str]) -> str:
    """`rows` counts the rows of each partition: `load_dataset` fails for all of a data set if one of them has none."""
    lines = [
        "---",
        "configs:",
        "- config_name: default",
        f"  version: 0.0.{int(report.run_key[:8], 16)}",
        "  data_files:",
    ]
    for partition in paths.PARTITIONS:
        if rows.get(partition):
            lines += [f"  - split: {partition}", *_yaml("path", data_patterns(partition, report.files))]
    lines += ["task_categories:", "- text-generation", "tags:", "- code", "- fill-in-the-middle", "---"]
    return "\n".join([*lines, f"# {title}", "", *text, ""])


def data_patterns(partition: str, files: Iterable[FileRecord]) -> list[str]:
    """Patterns that match the data files of a partition and no others, in order; none where it has no file."""
    folders: dict[str, dict[str, list[str]]] = {}
    for file in files:
        folder, _, name = file.path.rpartition("/")
        if file.path.startswith(f"{paths.DATA}/"):
            folders.setdefault(folder, {}).setdefault(paths.partition_of(name), []).append(name)
    patterns: list[str] = []
    for folder, partitions in sorted(folders.items()):
        names = partitions.get(partition, [])
        if names and all(name.startswith(f"{partition}-") for name in names):
            patterns.append(f"{folder}/{partition}-*.parquet")
        elif names and len(partitions) == 1:
            patterns.append(f"{folder}/*.parquet")
        else:  # beside files of the other partition, under names that do not say which they are of
            patterns += [f"{folder}/{name}" for name in sorted(names)]
    return patterns


def _yaml(key: str, values: list[str]) -> list[str]:
    quoted = [value if _PLAIN.fullmatch(value) else json.dumps(value) for value in values]
    if len(quoted) == 1:
        return [f"    {key}: {quoted[0]}"]
    return [f"    {key}:", *(f"    - {value}" for value in quoted)]


def _table(titles: tuple[str, str], rows: Iterable[tuple[str, int]]) -> list[str]:
    return [
        f"| {titles[0]} | {titles[1]} |",
        "|---|---:|",
        *(f"| {name} | {count:,} |" for name, count in rows),
        "",
    ]


def _source(source: Mapping[str, Any]) -> str:
    """Where the rows came from, by what each kind of source is known by."""
    if source.get("kind") == "hub":
        return f"`{source['dataset']}` at commit `{source['commit']}`"
    return f"`{source.get('location') or source.get('folder') or source.get('spec')}`"


def _license_lines(configuration: Mapping[str, Any]) -> list[str]:
    licenses, filters = configuration["licenses"], configuration["filters"]
    if "license" in filters["switched_off"]:
        return ["Licenses were not checked. Each row names repository, path, revision and licenses of its file."]
    allowed = _LICENSES[licenses] if isinstance(licenses, str) else f"a list of {len(licenses)} licenses"
    stays = {"all": "all are", "any": "at least one is"}[filters["license_policy"]]
    lines = [f"All rows are from repositories of whose licenses {stays} allowed: {allowed}."]
    if filters["allow_unknown_licenses"]:
        lines.append("Licenses that are not known count as allowed.")
    if filters["allow_missing_licenses"]:
        lines.append("Repositories without a license are among them.")
    lines += [
        "Each row names repository, path, revision and licenses of the file it was made from, and `ATTRIBUTION.parquet` lists",
        "all repositories. Whoever passes rows on must keep to those licenses.",
    ]
    if configuration.get("opt_outs"):
        lines.append(f"{configuration['opt_outs']['names']:,} repositories and owners had asked to be left out.")
    return lines
