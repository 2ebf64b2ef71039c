"""`stackfim verify`, `show` and `explain`: what is in a data set, and what became of a file."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from stackfim.pipeline.commands.app import BROKEN, DONE, FAILED, USAGE, app, fail, names
from stackfim.pipeline.config.run_config import UsageError, load_config
from stackfim.pipeline.sources import SourceError, SourceUnavailable


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="Folder of a data set, or of parquet shards.", metavar="DIR")],
    json_lines: Annotated[
        bool, typer.Option("--json", help="A JSON line for each row that breaks an invariant.")
    ] = False,
    source: Annotated[
        str | None,
        typer.Option(help="Where the originals are; `none` to do without. [default: the run's own source, if at hand]"),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes. [default: one a core]")] = None,
) -> None:
    """Check every invariant on every row; exit 1 and the rows that break one."""
    from stackfim.pipeline.inspect.verify import print_report, verify_folder

    try:
        report = verify_folder(folder, source, workers or os.cpu_count() or 1)
    except (UsageError, SourceError) as error:
        fail(USAGE, str(error))
    print_report(report, json_lines=json_lines)
    raise typer.Exit(BROKEN if report.violations else DONE)


@app.command()
def show(
    folder: Annotated[Path, typer.Argument(help="Folder of a data set, or of parquet shards.", metavar="DIR")],
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind.")] = None,
    language: Annotated[str | None, typer.Option(help="Only this language.")] = None,
    n: Annotated[int, typer.Option("--n", min=1, help="How many examples.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Another seed shows others.")] = 0,
    lines: Annotated[int, typer.Option(min=1, help="Lines of context on each side.")] = 12,
) -> None:
    """Show examples in the terminal: prefix and suffix plain, the middle in colour."""
    from stackfim.pipeline.inspect.show import show_examples

    try:
        show_examples(folder, category=category, kind=kind, language=language, count=n, seed=seed, lines=lines)
    except UsageError as error:
        fail(USAGE, str(error))


@app.command(name="explain")
def explain_one(
    source: Annotated[str, typer.Argument(help="As for build.", metavar="SOURCE")],
    path: Annotated[str, typer.Option("--path", help="Path of the file in its repository.")],
    repository: Annotated[str | None, typer.Option(help="Its repository, where several have that path.")] = None,
    config: Annotated[Path | None, typer.Option(help="The configuration of the run.", metavar="FILE")] = None,
    languages: Annotated[str | None, typer.Option(help="As for build.", metavar="NAMES")] = None,
    grammars: Annotated[str | None, typer.Option(help="As for build.", metavar="SETS")] = None,
    licenses: Annotated[str | None, typer.Option(help="As for build.")] = None,
    opt_out: Annotated[str | None, typer.Option(help="As for build.", metavar="FILE")] = None,
    pii: Annotated[str | None, typer.Option(help="As for build.")] = None,
    comments_language: Annotated[str | None, typer.Option(help="As for build.", metavar="CODE")] = None,
    json_object: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show every filter's scores, limits and verdict for one file, also those behind the first that drops it."""
    from stackfim.pipeline.inspect.explain import as_json, explain_file, print_explanation

    overrides = {"languages": names(languages), "licenses": licenses, "opt_out": opt_out, "pii": pii}
    overrides |= {"comments_language": comments_language, "grammars": names(grammars)}
    try:
        explanation = explain_file(source, path, repository, load_config(config, overrides))
    except (UsageError, SourceError) as error:
        fail(USAGE, str(error))
    except SourceUnavailable as error:
        fail(FAILED, str(error))
    if json_object:
        typer.echo(as_json(explanation))
    else:
        print_explanation(explanation, Console(highlight=False))
