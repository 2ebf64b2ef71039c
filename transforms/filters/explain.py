"""What every filter measures of one file, what it holds that against and what it says, the first drop or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from stackfim.transforms.filters.chain import (
    CONTAMINATION,
    FILE_LANGUAGE,
    FILTERS,
    FilterSettings,
    decide_stage,
    relabel,
)
from stackfim.transforms.filters.comment_language import ANY, comment_languages
from stackfim.transforms.filters.contamination import BenchmarkIndex, contamination
from stackfim.transforms.filters.encoding import invalid_utf8_at, nul_count
from stackfim.transforms.filters.findings import counts_by_row
from stackfim.transforms.filters.license_header import HEAD_BYTES, stated_licenses
from stackfim.transforms.filters.personal_data import find_personal_data
from stackfim.transforms.filters.quality_limits import NO_LIMIT, limits_of
from stackfim.transforms.filters.scores import BOUNDS, quality_scores
from stackfim.transforms.filters.secrets import find_secrets

KEPT, DROPPED, SWITCHED_OFF = "kept", "dropped", "off"


@dataclass(frozen=True)
class Measure:
    """One score of a file."""

    score: str
    value: str | int | float | bool | None
    """None where the score does not apply."""
    limit: str
    """What it is held against, in words; empty for a rule that just applies."""


@dataclass(frozen=True)
class StageReport:
    """One filter's say."""

    stage: str
    measures: tuple[Measure, ...]
    verdict: str
    """`kept`, `dropped` or `off`."""
    reason: str = ""
    detail: str = ""


def explain(
    row: pa.RecordBatch, settings: FilterSettings, benchmarks: BenchmarkIndex | None = None
) -> list[StageReport]:
    """The reports of all filters, in order, on a batch (stackfim.schemas.source.ROW) of one row."""
    said = row.column("language")[0].as_py()
    row, _ = relabel(row, settings)
    measures = _measures(row, settings, benchmarks)
    measures[FILE_LANGUAGE] = [Measure("said", said, ""), Measure("shown", row.column("language")[0].as_py(), "")]
    reports = []
    for stage in (*FILTERS, *([CONTAMINATION] if benchmarks is not None else [])):
        shown = tuple(measures.get(stage, ()))
        if stage in settings.switched_off:
            reports.append(StageReport(stage, shown, SWITCHED_OFF))
            continue
        drops = decide_stage(stage, row, settings, benchmarks)
        reason, detail = drops.get(0, ("", ""))
        reports.append(StageReport(stage, shown, DROPPED if drops else KEPT, reason, detail))
    return reports


def _measures(
    row: pa.RecordBatch, settings: FilterSettings, benchmarks: BenchmarkIndex | None
) -> dict[str, list[Measure]]:
    content = row.column("content")
    file = {name: row.column(name)[0].as_py() for name in ("repository", "language", "licenses", "content")}
    policy = {"all": "all on the allow-list", "any": "one on the allow-list"}[settings.license_policy]
    stated = [
        name for found in stated_licenses(file["content"][:HEAD_BYTES], file["language"]) for name in found.licenses
    ]
    found = {
        "opt_out": [Measure("repository", file["repository"], f"none of {len(settings.opt_outs):,} names")],
        "license": [Measure("licenses", ", ".join(file["licenses"]), policy)],
        "license_header": [Measure("stated", ", ".join(dict.fromkeys(stated)) or None, policy)],
        "language": [Measure("language", file["language"], _wanted(settings))],
        "encoding": [
            Measure("invalid_at", None if (at := int(invalid_utf8_at(content)[0])) < 0 else at, ""),
            Measure("nul_bytes", int(nul_count(content)[0]), "at most 0"),
        ],
        "secrets": [Measure("found", _counted(find_secrets(content)), settings.secrets)],
        "personal_data": [Measure("found", _counted(find_personal_data(content)), settings.personal_data)],
    }
    limits: Mapping[str, Any] = vars(settings) | vars(limits_of(file["language"], settings.limits))
    for score, value in quality_scores(row).to_pylist()[0].items():
        if score in BOUNDS:
            bounds = BOUNDS[score]
            texts = (_bound("at least", limits.get(bounds.minimum)), _bound("at most", limits.get(bounds.maximum)))
            found.setdefault(bounds.stage, []).append(Measure(score, value, ", ".join(filter(None, texts))))
    wanted = settings.comments_language
    if wanted != ANY:
        said = comment_languages(content, [file["language"]], wanted)
        most, share = said.most[0] or None, float(said.other_share[0]) if said.letters[0] else None
        limit = f"at most {limits['max_other_language_share']:g} not in {wanted}"
        found["comments_language"] = [Measure("mostly", most, wanted), Measure("other_share", share, limit)]
    if benchmarks is not None:
        shared = contamination(content, benchmarks)
        least = benchmarks.limits
        found[CONTAMINATION] = [
            Measure("coverage", float(shared.coverage[0]), f"less than {least.min_coverage:g}"),
            Measure("renamed_coverage", float(shared.renamed_coverage[0]), f"less than {least.renamed_min_coverage:g}"),
        ]
    return found


def _bound(words: str, limit: float | None) -> str:
    """A limit in words; empty for none, and for those of the table that nothing can miss."""
    if limit is None or (words == "at least" and limit == 0) or limit >= NO_LIMIT:
        return ""
    return f"{words} {limit:,}" if isinstance(limit, int) else f"{words} {limit:g}"


def _wanted(settings: FilterSettings) -> str:
    return "any with a grammar" if settings.languages is None else f"one of {', '.join(sorted(settings.languages))}"


def _counted(findings: list) -> str | None:
    kinds = counts_by_row(findings).get(0, {})
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or None
