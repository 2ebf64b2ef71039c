"""`stackfim verify`, `show` and `explain`: what is in a data set, and what became of a file."""

from typing import Annotated

import typer
from rich.console import Console

from stackfim.pipeline.commands.app import (
    BROKEN,
    DONE,
    ConfigFile,
    DatasetFolder,
    Settings,
    Workers,
    command,
    names,
    process_count,
)


@command()
def verify(
    folder: DatasetFolder,
    json_lines: Annotated[
        bool, typer.Option("--json", help="A JSON line for each row that breaks an invariant.")
    ] = False,
    source: Annotated[
        str | None,
        typer.Option(help="Where the originals are; `none` to do without. [default: the run's own source, if at hand]"),
    ] = None,
    workers: Workers = None,
) -> None:
    """Check every invariant on every row; exit 1 and the rows that break one."""
    from stackfim.pipeline.inspect.verify import print_report, verify_folder

    report = verify_folder(folder, source, process_count(workers))
    print_report(report, json_lines=json_lines)
    raise typer.Exit(BROKEN if report.violations else DONE)


@command()
def show(
    folder: DatasetFolder,
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind.")] = None,
    language: Annotated[str | None, typer.Option(help="Only this language.")] = None,
    n: Annotated[int, typer.Option("--n", min=1, help="How many examples.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Another seed shows others.")] = 0,
    lines: Annotated[int, typer.Option(min=1, help="Lines of context on each side.")] = 12,
) -> None:
    """Show examples in the terminal: prefix and suffix plain, the middle in colour."""
    from stackfim.pipeline.inspect.show import show_examples

    show_examples(folder, category=category, kind=kind, language=language, count=n, seed=seed, lines=lines)


@command()
def explain(
    source: Annotated[str, typer.Argument(help="As for build.", metavar="SOURCE")],
    path: Annotated[str, typer.Option("--path", help="Path of the file in its repository.")],
    repository: Annotated[str | None, typer.Option(help="Its repository, where several have that path.")] = None,
    config: ConfigFile = None,
    settings: Settings = None,
    languages: Annotated[str | None, typer.Option(help="As for build.", metavar="NAMES")] = None,
    licenses: Annotated[str | None, typer.Option(help="As for build.")] = None,
    opt_out: Annotated[str | None, typer.Option(help="As for build.", metavar="FILE")] = None,
    pii: Annotated[str | None, typer.Option(help="As for build.")] = None,
    json_object: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show every filter's scores, limits and verdict for one file, also those after the first that drops it."""
    from stackfim.pipeline.config.loading import Option, load_config
    from stackfim.pipeline.inspect.explain import as_json, explain_file, print_explanation

    options = [
        Option("--languages", "languages", names(languages)),
        Option("--licenses", "licenses", licenses),
        Option("--opt-out", "opt_out", opt_out),
        Option("--pii", "pii", pii),
    ]
    explanation = explain_file(source, path, repository, load_config(config, settings or (), options))
    if json_object:
        typer.echo(as_json(explanation))
    else:
        print_explanation(explanation, Console(highlight=False))
