"""`stackfim score`, `calibrate` and `complete`: what a model says."""

from pathlib import Path
from typing import Annotated

import typer

from stackfim.pipeline.commands.app import ConfigFile, DatasetFolder, Settings, command, errors, names, print_counts
from stackfim.pipeline.commands.build import MODEL_HELP


@command(resumes=True)
def score(
    folder: DatasetFolder,
    out: Annotated[
        str,
        typer.Option(
            "--out", help="Folder of the scored shards; a run that broke off there is resumed.", metavar="DIR2"
        ),
    ],
    model: Annotated[str | None, typer.Option(help=MODEL_HELP, metavar="PATH|ID|tiny")] = None,
    layouts: Annotated[
        str | None,
        typer.Option(
            help="Layouts that it scores, with commas: psm, spm. [default: psm for `tiny`, else both]", metavar="NAMES"
        ),
    ] = None,
    config: ConfigFile = None,
    settings: Settings = None,
    label: Annotated[
        bool, typer.Option("--label", help="Drop nothing, whatever the verdict: `calibrate` needs this.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes. [default: one for each core, one with a GPU]")
    ] = None,
) -> None:
    """Score examples with a model and judge them: scores, a verdict, and what the verdict drops.

    Of the settings, `score` and `seed` are used.
    """
    from stackfim.pipeline.config.loading import Option, load_config
    from stackfim.pipeline.config.scoring_model import find_scoring
    from stackfim.pipeline.config.usage_error import UsageError
    from stackfim.pipeline.derive.score import score_folder, scoring_workers
    from stackfim.transforms.score.diagnostics import lines

    options = [Option("--model", "score.model", model), Option("--layouts", "score.layouts", names(layouts))]
    configuration = load_config(config, settings or (), options)
    if label:
        configuration = configuration.labelling()
    scoring = find_scoring(configuration.score, configuration.seed)
    if scoring is None:
        raise UsageError("--model none: expected a model to score with: a folder, a GGUF file or a Hugging Face id")
    report = score_folder(folder, out, scoring, workers or scoring_workers())
    counts = report.counts
    typer.echo(f"{counts['examples_in']:,} examples scored: {counts['examples']:,} in {out}")
    print_counts(counts, "verdict:", "kept")
    print_counts(counts, "rejected:example:", "dropped")
    for line in lines(report.diagnostics):
        typer.echo(line)


@command()
def calibrate(
    folder: Annotated[Path, typer.Argument(help="Folder of scored examples, labelled or not.", metavar="DIR")],
    out: Annotated[
        Path | None,
        typer.Option(help="File to write: .json beside a checkpoint, .toml for a run. [default: TOML to the terminal]"),
    ] = None,
    share: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of these rows that the limits doubt, all reasons together.")
    ] = 0.02,
    min_rows: Annotated[
        int,
        typer.Option(min=1, help="Rows that a language needs for limits of its own; others have their category's."),
    ] = 2_000,
) -> None:
    """Set limits for a model's verdicts, from the scores that it gave to good rows."""
    from stackfim.pipeline.inspect.calibrate import calibrate_folder

    typer.echo(calibrate_folder(folder, out, share, min_rows), nl=False)


@command()
def complete(
    checkpoint: Annotated[
        str,
        typer.Option("--model", help="Folder, .gguf file, Hugging Face id, or `tiny`.", metavar="PATH"),
    ],
    prefix: Annotated[Path, typer.Option(help="File with the text left of the cursor.", metavar="FILE")],
    suffix: Annotated[
        Path | None, typer.Option(help="File with the text right of the cursor. [default: nothing]", metavar="FILE")
    ] = None,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Most tokens to write.")] = 128,
    temperature: Annotated[float, typer.Option(min=0, help="0 takes the likeliest token, above it draws.")] = 0.0,
    top_p: Annotated[
        float, typer.Option(min=0, max=1, help="Draw from the likeliest tokens that have this share together.")
    ] = 1.0,
    layout: Annotated[str, typer.Option(help="`psm` (prefix first) or `spm`.")] = "psm",
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws another text.")] = 0,
) -> None:
    """Write the middle between a prefix and a suffix; the text goes to standard output as it is."""
    from stackfim.pipeline.inspect.complete import complete_files

    written = complete_files(
        checkpoint,
        prefix,
        suffix,
        layout=layout,
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        top_p=top_p,
        seed=seed,
    )
    typer.echo(written.text, nl=False)
    if written.stop != "end_of_text":
        errors.print(f"stackfim: stopped at {written.stop}, not at the end of the text", markup=False)
