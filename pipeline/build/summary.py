"""The summary table of a run."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stackfim.pipeline.build.run import Outcome
from stackfim.pipeline.local.terminal import visible
from stackfim.schemas.manifest import Manifest

_METHODS = {
    "exact": "exact copy of another file",
    "near": "near-duplicate",
    "near_estimated": "near-duplicate, by signatures",
}


def print_summary(outcome: Outcome, out: str) -> None:
    """What a run made, by category and language, and what it dropped and why; on standard output."""
    console = Console(highlight=False, emoji=False)
    manifest = outcome.manifest
    if manifest is None:
        console.print("dry run: the graph was built, nothing was read or written")
        return
    counts = manifest.counts
    if outcome.already_done:
        done = f"nothing to do: {out} holds this very run, complete ({counts['examples']:,} examples)"
        console.print(visible(done), markup=False, soft_wrap=True)
        return
    console.print(_categories(manifest))
    console.print(_languages_and_drops(manifest))
    for line in _remarks(manifest):
        console.print(visible(line), markup=False, soft_wrap=True)
    partitions = ", ".join(f"{name} {count:,}" for name, count in _by_count(manifest.examples, "partition:"))
    console.print(
        f"{counts['files_in']:,} files in {outcome.seconds:.0f} s: {counts['files_with_examples']:,} gave "
        f"{counts['examples']:,} examples ({partitions}), "
        f"{counts['files_rejected']:,} were rejected, {counts['files_removed']:,} were duplicates.\n"
        f"Load it with datasets.load_dataset({out!r}); look at it with: stackfim show {visible(out)}",
        markup=False,
        soft_wrap=True,
    )


def _categories(manifest: Manifest) -> Table:
    table = Table(header_style="bold")
    table.add_column("Category / kind")
    table.add_column("Examples", justify="right")
    table.add_column("Share", justify="right")
    total = max(manifest.counts["examples"], 1)
    for prefix, indent in (("category:", ""), ("kind:", "  ")):
        for name, count in _by_count(manifest.examples, prefix):
            table.add_row(Text(indent + visible(name)), f"{count:,}", f"{count / total:.1%}")
    return table


def _languages_and_drops(manifest: Manifest) -> Table:
    table = Table(header_style="bold")
    for title in ("Language", "Examples", "Files dropped for", "Files"):
        table.add_column(title, justify="right" if title in ("Examples", "Files") else "left")
    languages = _by_count(manifest.examples, "language:")
    dropped = _by_count(manifest.rejected, "file:")
    dropped += [(_METHODS[method], count) for method, count in _by_count(manifest.removed, "")]
    for left, right in zip_longest(languages, dropped):
        table.add_row(*_cells(left), *_cells(right))
    return table


def _cells(entry: tuple[str, int] | None) -> tuple[Text, str]:
    # Text, so that no name is read as markup.
    return (Text(visible(entry[0])), f"{entry[1]:,}") if entry is not None else (Text(), "")


def _remarks(manifest: Manifest) -> Iterator[str]:
    """A line for each count that not every run has."""
    verdicts = [f"{name} {count:,}" for name, count in _by_count(manifest.examples, "verdict:")]
    verdicts += [f"{name} {count:,} (dropped)" for name, count in _by_count(manifest.rejected, "example:score:")]
    for title, found in (
        ("No grammar for", _listed(manifest.unsupported_languages)),
        ("In another language than the source says", _listed(manifest.relabelled)),
        ("Redacted", _listed(manifest.redacted)),
        ("Verdicts of the model", verdicts),
    ):
        if found:
            yield f"{title}: {', '.join(found)}"


def _listed(counts: Mapping[str, int]) -> list[str]:
    return [f"{name} {count:,}" for name, count in _by_count(counts, "")]


def _by_count(counts: Mapping[str, int], prefix: str) -> list[tuple[str, int]]:
    found = [(name.removeprefix(prefix), count) for name, count in counts.items() if name.startswith(prefix)]
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))
