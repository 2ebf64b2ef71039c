"""`stackfim score`, `calibrate` and `complete`: what a model says."""

from pathlib import Path
from typing import Annotated

import typer

from stackfim.pipeline.commands.app import BROKEN, USAGE, app, errors, fail, names
from stackfim.pipeline.commands.build import LAYOUTS_HELP, MODEL_HELP
from stackfim.pipeline.config.run_config import UsageError, load_config


@app.command()
def score(
    folder: Annotated[Path, typer.Argument(help="Folder of a data set, or of parquet shards.", metavar="DIR")],
    out: Annotated[
        str,
        typer.Option(
            "--out", help="Folder of the scored shards; a run that broke off there is taken up again.", metavar="DIR2"
        ),
    ],
    model: Annotated[str | None, typer.Option(help=MODEL_HELP, metavar="PATH|ID|tiny")] = None,
    layouts: Annotated[str | None, typer.Option(help=LAYOUTS_HELP, metavar="NAMES")] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file; of it [score] and the seed count.", metavar="FILE")
    ] = None,
    label: Annotated[
        bool, typer.Option("--label", help="Drop nothing, whatever the verdict: what `calibrate` needs.")
    ] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes. [default: one a core, one with a GPU]")] = None,
) -> None:
    """Score examples with a model and judge them: scores, a verdict, and what the verdict drops."""
    from stackfim.pipeline.config.scoring_model import find_scoring
    from stackfim.pipeline.derive.score import score_folder, scoring_workers
    from stackfim.pipeline.folder.counts import BrokenPromise
    from stackfim.transforms.score.diagnostics import lines

    try:
        settings = load_config(config, {"score.model": model, "score.layouts": names(layouts)})
        if label:
            settings = settings.labelling()
        scoring = find_scoring(settings.score, settings.seed)
        if scoring is None:
            raise UsageError("--model none: expected a model to score with: a folder, a GGUF file or a Hugging Face id")
        report = score_folder(folder, out, scoring, workers or scoring_workers())
    except UsageError as error:
        fail(USAGE, str(error))
    except BrokenPromise as error:
        fail(BROKEN, str(error))
    counts = report.counts
    typer.echo(f"{counts['examples_in']:,} examples scored: {counts['examples']:,} in {out}")
    for prefix, where in (("verdict:", "kept"), ("rejected:example:", "dropped")):
        for name, count in counts.items():
            if name.startswith(prefix):
                typer.echo(f"  {count:>9,} {where}: {name.removeprefix(prefix)}")
    for line in lines(report.diagnostics):
        typer.echo(line)


@app.command()
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
        int, typer.Option(min=1, help="Rows that a language needs for limits of its own; else its category's hold.")
    ] = 2_000,
) -> None:
    """Limits for a model's verdicts, from the scores that it gave to good rows."""
    from stackfim.pipeline.inspect.calibrate import calibrate_folder

    try:
        text = calibrate_folder(folder, out, share, min_rows)
    except UsageError as error:
        fail(USAGE, str(error))
    typer.echo(text, nl=False)


@app.command()
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
    top_p: Annotated[float, typer.Option(min=0, max=1, help="Draw from the likeliest that have this share.")] = 1.0,
    layout: Annotated[str, typer.Option(help="`psm` (prefix first) or `spm`.")] = "psm",
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws another text.")] = 0,
) -> None:
    """Write the middle between a prefix and a suffix; the text goes to standard output as it is."""
    from stackfim.pipeline.inspect.complete import complete_files

    try:
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
    except UsageError as error:
        fail(USAGE, str(error))
    typer.echo(written.text, nl=False)
    if written.stop != "end_of_text":
        errors.print(f"stackfim: stopped at {written.stop}, not at the end of the text", markup=False)
