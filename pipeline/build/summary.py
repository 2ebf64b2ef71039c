"""The summary table of a run."""

from rich.console import Console
from rich.table import Table

from stackfim.pipeline.build.run import Outcome

_METHODS = {
    "exact": "exact copy of another file",
    "near": "near-duplicate",
    "near_estimated": "near-duplicate, by signatures",
}


def print_summary(outcome: Outcome, out: str, seconds: float) -> None:
    """What a run made, by category and language, and what it dropped and why; on standard output."""
    console = Console(highlight=False)
    manifest = outcome.manifest
    if manifest is None:
        console.print("dry run: the graph was built, nothing was read or written")
        return
    counts, examples = manifest.counts, manifest.examples
    if outcome.already_done:
        console.print(
            f"nothing to do: {out} holds this very run, complete ({counts['examples']:,} examples)",
            markup=False,
            soft_wrap=True,
        )
        return
    table = Table(title=None, show_header=True, header_style="bold")
    table.add_column("Category / kind")
    table.add_column("Examples", justify="right")
    table.add_column("Share", justify="right")
    for prefix in ("category", "kind"):
        for name, count in _by_count(examples, f"{prefix}:"):
            table.add_row(
                ("  " if prefix == "kind" else "") + name, f"{count:,}", f"{count / max(counts['examples'], 1):.1%}"
            )
    console.print(table)
    table = Table(show_header=True, header_style="bold")
    for title in ("Language", "Examples", "Files dropped for", "Files"):
        table.add_column(title, justify="right" if title in ("Examples", "Files") else "left")
    languages = _by_count(examples, "language:")
    dropped = _by_count(manifest.rejected, "file:")
    dropped += [(_METHODS[method], count) for method, count in _by_count(manifest.removed, "")]
    for row in range(max(len(languages), len(dropped))):
        left = (languages[row][0], f"{languages[row][1]:,}") if row < len(languages) else ("", "")
        right = (dropped[row][0], f"{dropped[row][1]:,}") if row < len(dropped) else ("", "")
        table.add_row(*left, *right)
    console.print(table)
    if manifest.unsupported_languages:
        names = [f"{name} {count:,}" for name, count in _by_count(manifest.unsupported_languages, "")]
        console.print(f"No grammar for: {', '.join(names)}", markup=False)
    if manifest.relabelled:
        changes = [f"{change} {count:,}" for change, count in _by_count(manifest.relabelled, "")]
        console.print(f"In another language than the source says: {', '.join(changes)}", markup=False)
    if manifest.redacted:
        found = [f"{kind} {count:,}" for kind, count in _by_count(manifest.redacted, "")]
        console.print(f"Redacted: {', '.join(found)}", markup=False)
    verdicts = [f"{name} {count:,}" for name, count in _by_count(examples, "verdict:")]
    verdicts += [f"{name} {count:,} (dropped)" for name, count in _by_count(manifest.rejected, "example:score:")]
    if verdicts:
        console.print(f"Verdicts of the model: {', '.join(verdicts)}", markup=False, soft_wrap=True)
    partitions = ", ".join(f"{name} {count:,}" for name, count in _by_count(examples, "partition:"))
    console.print(
        f"{counts['files_in']:,} files in {seconds:.0f} s: {counts['files_with_examples']:,} gave "
        f"{counts['examples']:,} examples ({partitions}), "
        f"{counts['files_rejected']:,} were rejected, {counts['files_removed']:,} were duplicates.\n"
        f"Load it with datasets.load_dataset({out!r}); look at it with: stackfim show {out}",
        markup=False,
        soft_wrap=True,
    )


def _by_count(counts: dict[str, int], prefix: str) -> list[tuple[str, int]]:
    found = [(name.removeprefix(prefix), count) for name, count in counts.items() if name.startswith(prefix)]
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))
