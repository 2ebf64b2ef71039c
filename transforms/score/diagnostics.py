"""The scores of a run as a whole: tallies of batches, which add up, and a summary of their sums.

A tally is a name and a count. Names begin with `scored:`, and their only number is that of a bin (see histogram.py), so
that batches and shards can be added in any order and a run of any size has a bounded number of tallies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from stackfim.schemas.layout import LAYOUTS
from stackfim.schemas.scored import score_column
from stackfim.transforms.score.histogram import DIFFERENCE, NLL, PROBABILITY, Integers, Scale, auc, quantile

PREFIX = "scored:"
METRICS: dict[str, Scale] = {"nll": NLL, "p_eot_end": PROBABILITY}
GROUPS = ("category", "kind", "language")
QUANTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
RELIABILITY_BINS = 10
ALL = "all"

StopPair = tuple[str, str, float, float]
"""Category, layout, and `p_eot_end` at the true end and at the shifted one."""


def tallies(rows: pa.RecordBatch, layouts: Sequence[str]) -> Counter[str]:
    """Verdicts by category, and histograms of the scores by category, kind and language (stackfim.schemas.scored.SCORED)."""
    counts: Counter[str] = Counter()
    groups = {name: rows.column(name).to_pylist() for name in GROUPS}
    counts.update(
        f"{PREFIX}verdict:{category}:{verdict}"
        for category, verdict in zip(groups["category"], rows.column("verdict").to_pylist(), strict=True)
    )
    for layout in layouts:
        column = rows.column(score_column(layout))
        valid = column.is_valid().to_numpy(zero_copy_only=False)
        for metric, scale in METRICS.items():
            bins = scale.index(column.field(metric).to_numpy(zero_copy_only=False)[valid])
            for name, labels in groups.items():
                chosen = (label for label, keep in zip(labels, valid, strict=True) if keep)
                pairs = Counter(zip(chosen, bins.tolist(), strict=True))
                for (label, index), count in pairs.items():
                    counts[f"{PREFIX}{metric}:{layout}:{name}:{label}:{index}"] += count
    if len(layouts) > 1:
        counts.update(_layout_tallies(rows))
    return counts


def _layout_tallies(rows: pa.RecordBatch) -> Counter[str]:
    """How often PSM is likelier than SPM and the reverse, and by how much."""
    columns = [rows.column(score_column(layout)) for layout in LAYOUTS]
    valid = np.logical_and(*(column.is_valid().to_numpy(zero_copy_only=False) for column in columns))
    psm, spm = (column.field("nll").to_numpy(zero_copy_only=False)[valid].astype(np.float64) for column in columns)
    counts = Counter(f"{PREFIX}layouts:nll:{index}" for index in DIFFERENCE.index(psm - spm).tolist())
    counts[f"{PREFIX}layouts:psm_likelier"] = int((psm < spm).sum())
    counts[f"{PREFIX}layouts:spm_likelier"] = int((spm < psm).sum())
    counts[f"{PREFIX}layouts:rows"] = len(psm)
    return Counter({name: count for name, count in counts.items() if count})


def stop_tallies(pairs: Iterable[StopPair]) -> Counter[str]:
    """Histograms of the probability of end-of-text at true ends and at shifted ones, by category."""
    counts: Counter[str] = Counter()
    for category, layout, at_true, at_shifted in pairs:
        for end, value in (("true", at_true), ("shifted", at_shifted)):
            counts[f"{PREFIX}stop:{layout}:{category}:{end}:{int(PROBABILITY.index(np.array(value)))}"] += 1
    return counts


def summary(counts: Mapping[str, int]) -> dict[str, Any]:
    """The diagnostics of a run from the sum of its tallies, as JSON values; other names in `counts` are ignored.

    `verdicts` counts rows by category and verdict. `distributions` has rows, p10, p50 and p90 by layout, metric and group.
    `stop` says, by layout and category, how well end-of-text marks the true end: `auc` compares it with ends shifted by one
    line, and `reliability` lists, for ten ranges of the probability, how many places there are and the share of true ends
    among them (half of all places). `layouts` compares the nll of PSM with that of SPM: it is negative where PSM is likelier.
    """
    found = _tree({name.removeprefix(PREFIX): count for name, count in counts.items() if name.startswith(PREFIX)})
    report: dict[str, Any] = {
        "verdicts": {category: _sorted(verdicts) for category, verdicts in sorted(found.get("verdict", {}).items())},
        "distributions": {
            layout: {
                metric: {
                    group: {label: _quantiles(scale, bins) for label, bins in sorted(labels.items())}
                    for group, labels in sorted(found[metric][layout].items())
                }
                for metric, scale in METRICS.items()
            }
            for layout in LAYOUTS
            if layout in found.get("nll", {})
        },
        "stop": {layout: _stop(found["stop"][layout]) for layout in LAYOUTS if layout in found.get("stop", {})},
    }
    if "layouts" in found:
        names = ("rows", "psm_likelier", "spm_likelier")
        values = {name: found["layouts"].get(name, {}).get("", 0) for name in names}
        report["layouts"] = values | {"nll_psm_less_spm": _quantiles(DIFFERENCE, found["layouts"].get("nll", {}))}
    return report


def _tree(counts: Mapping[str, int]) -> dict[str, Any]:
    """Counts in a tree of the parts of their names: `nll`, `psm`, `kind`, `siblings`, bin; verdicts keep their colon."""
    tree: dict[str, Any] = {}
    for name, count in counts.items():
        first, *rest = name.split(":")
        if first == "verdict":
            rest = [rest[0], ":".join(rest[1:])]
        elif len(rest) == 1:
            rest.append("")
        node = tree.setdefault(first, {})
        for part in rest[:-1]:
            node = node.setdefault(part, {})
        node[rest[-1]] = node.get(rest[-1], 0) + count
    return tree


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _dense(scale: Scale, bins: Mapping[str, int]) -> Integers:
    return scale.dense({int(index): count for index, count in bins.items()})


def _quantiles(scale: Scale, bins: Mapping[str, int]) -> dict[str, Any]:
    counts = _dense(scale, bins)
    if not counts.any():
        return {"rows": 0}
    values = {name: _rounded(quantile(scale, counts, share)) for name, share in QUANTILES.items()}
    return {"rows": int(counts.sum()), **values}


def _stop(categories: Mapping[str, Mapping[str, Mapping[str, int]]]) -> dict[str, Any]:
    dense = {
        category: [_dense(PROBABILITY, ends.get(end, {})) for end in ("true", "shifted")]
        for category, ends in sorted(categories.items())
    }
    dense[ALL] = [np.sum([ends[side] for ends in dense.values()], axis=0) for side in range(2)]
    return {
        category: {"pairs": int(true.sum()), "auc": _rounded(auc(true, shifted)), "reliability": _table(true, shifted)}
        for category, (true, shifted) in dense.items()
    }


def _table(true: Integers, shifted: Integers) -> list[dict[str, Any]]:
    """Number of places and share of true ends by tenths of the probability; empty tenths are left out."""
    middles = np.array([PROBABILITY.value(index + 0.5) for index in range(PROBABILITY.bins)])
    tenths = np.minimum((middles * RELIABILITY_BINS).astype(int), RELIABILITY_BINS - 1)
    rows = []
    for tenth in range(RELIABILITY_BINS):
        places = true[tenths == tenth].sum() + shifted[tenths == tenth].sum()
        if places:
            mean = ((true + shifted) * middles)[tenths == tenth].sum() / places
            share = true[tenths == tenth].sum() / places
            rows.append({"p_eot": _rounded(mean), "places": int(places), "true_ends": _rounded(share)})
    return rows


def _rounded(value: float) -> float:
    """Four significant digits: as many as bins of a few percent justify, and the same text on every machine."""
    return float(f"{float(value):.4g}")


def lines(summary: Mapping[str, Any], number: Callable[[float], str] = "{:.3f}".format) -> list[str]:
    """The summary in a few lines of text: nll and stopping by category."""
    text = []
    for layout, metrics in summary["distributions"].items():
        for category, values in metrics["nll"]["category"].items():
            stop = summary["stop"].get(layout, {}).get(category)
            ends = f", AUC of the end {number(stop['auc'])} ({stop['pairs']} pairs)" if stop else ""
            spread = " ".join(f"{name} {number(values[name])}" for name in QUANTILES)
            text.append(f"{layout} {category}: nll {spread}{ends}")
    return text
