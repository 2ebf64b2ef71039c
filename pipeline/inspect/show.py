"""Examples for a person to read, in a terminal."""

from pathlib import Path
from typing import Any

import pyarrow.compute as pc
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder.shards import example_files, read_examples
from stackfim.pipeline.local.terminal import visible
from stackfim.schemas.layout import LAYOUTS
from stackfim.schemas.scored import score_column
from stackfim.transforms.draws import Draws

_KEPT = "\n\t"
_LABELS = ["language", "category", "kind", "stop_reason", "newline_owner", "node_type", "scope"]


def show_examples(
    folder: Path, *, category: str | None, kind: str | None, language: str | None, count: int, seed: int, lines: int
) -> None:
    """Prints `count` examples that match, drawn by `seed`. Raises UsageError where none does."""
    wanted = {
        name: value
        for name, value in (("category", category), ("kind", kind), ("language", language))
        if value is not None
    }
    found: list[tuple[int, dict[str, Any]]] = []
    seen: dict[str, set[str]] = {name: set() for name in wanted}
    for path in example_files(folder):
        for batch in read_examples(path):
            for name in wanted:
                seen[name].update(pc.unique(batch.column(name)).to_pylist())
            for row in batch.to_pylist():
                if all(str(row[name]).lower() == value.lower() for name, value in wanted.items()):
                    found.append((Draws(row["example_id"], seed).next(), row))
            found = sorted(found, key=lambda pair: pair[0])[:count]
    if not found:
        there = (
            "; ".join(f"{name} is one of {', '.join(sorted(values))}" for name, values in seen.items())
            or "the shards are empty"
        )
        raise UsageError(
            f"{folder}: no example with {', '.join(f'{name} {value}' for name, value in wanted.items()) or 'any label'}; {there}"
        )
    console = Console(highlight=False, soft_wrap=True)
    for _, row in found:
        labels = " ".join(str(row[name]) for name in _LABELS if row[name])
        console.print(Rule(Text(visible(labels)), align="left"))
        console.print(
            Text(
                visible(
                    f"{row['repository']}/{row['path']} bytes {row['start_byte']}-{row['end_byte']} "
                    f"{', '.join(row['licenses'])}{_scores(row)}"
                ),
                style="dim",
            )
        )
        console.print(_text(row, lines, marked=not console.is_terminal))


def _scores(row: dict[str, Any]) -> str:
    """Verdict and nll of a scored row."""
    if "verdict" not in row:
        return ""
    found = [(layout, row[score_column(layout)]) for layout in LAYOUTS]
    return f" {row['verdict']}" + "".join(f" nll({name}) {score['nll']:.2f}" for name, score in found if score)


def _text(row: dict[str, Any], lines: int, *, marked: bool) -> Text:
    """Prefix, middle and suffix; control characters made visible, so that a file cannot write to the terminal."""
    prefix, suffix = row["prefix"].split("\n"), row["suffix"].split("\n")
    middle = row["middle"]
    text = Text()
    text.append(visible("\n".join(prefix[-lines:]), _KEPT))
    shown = visible(middle.replace("\n", "⏎\n"), _KEPT) or "‸"
    # Without colour, brackets say where the middle is.
    text.append(f"⟦{shown}⟧" if marked else shown, style="bold black on green" if middle else "bold white on red")
    text.append(visible("\n".join(suffix[:lines]), _KEPT))
    return text
