"""`stackfim build`: from source code to a data set."""

import logging
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from stackfim.pipeline.commands.app import BROKEN, FAILED, USAGE, app, errors, fail, names
from stackfim.pipeline.config.run_config import UsageError, load_config
from stackfim.pipeline.config.sections import DEFAULT_MODEL
from stackfim.pipeline.sources import SourceError, SourceUnavailable

MODEL_HELP = (
    f"Checkpoint that scores the examples: a folder, a GGUF file, a Hugging Face id. [default: {DEFAULT_MODEL}]"
)
LAYOUTS_HELP = "Layouts that it scores, with commas: psm, spm. [default: psm for `tiny`, else both]"


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": False})
def build(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            help="hf://datasets/ORG/NAME[@REVISION][/SUBFOLDER], parquet:FOLDER-OR-GLOB or code:FOLDER",
            metavar="SOURCE",
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            "--out", help="Folder of the data set; a run that broke off there is taken up again.", metavar="DIR"
        ),
    ],
    config: Annotated[
        Path | None, typer.Option(help="TOML file with any setting; the options below win over it.", metavar="FILE")
    ] = None,
    languages: Annotated[
        str | None, typer.Option(help="Languages to keep, with commas. [default: all supported]", metavar="NAMES")
    ] = None,
    grammars: Annotated[
        str | None,
        typer.Option(
            help="`official,legacy` also takes R, with the extra legacy-grammars. [default: official]", metavar="SETS"
        ),
    ] = None,
    licenses: Annotated[
        str | None,
        typer.Option(
            help="`permissive`, `stack-v1`, `public-domain`, or a file with an SPDX identifier a line. [default: permissive]"
        ),
    ] = None,
    opt_out: Annotated[
        str | None,
        typer.Option(help="Leave out the repositories and owners that this file names, one a line.", metavar="FILE"),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes. [default: one a core]")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Read at most so many rows.", metavar="ROWS")] = None,
    per_file: Annotated[
        int | None, typer.Option(min=1, help="Most places of one file. [default: 8]", metavar="PLACES")
    ] = None,
    context_bytes: Annotated[
        int | None,
        typer.Option(
            min=0, help="Size of an example with its context, in whole lines; 0 for whole files. [default: 16000]"
        ),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            help="Also remove near-duplicates of a finished run's files (its folder), or of a source's rows. Repeatable.",
            metavar="DIR-OR-SOURCE",
        ),
    ] = None,
    pii: Annotated[
        str | None,
        typer.Option(help="Secrets and personal data: `redact`, `drop` the file, or `keep`. [default: redact]"),
    ] = None,
    comments_language: Annotated[
        str | None,
        typer.Option(
            help="Drop files whose comments are in another language, such as `en`. [default: any]", metavar="CODE"
        ),
    ] = None,
    filter_scores: Annotated[
        bool, typer.Option("--filter-scores", help="Also write every file's filter scores, to DIR/filter_scores.")
    ] = False,
    model: Annotated[str | None, typer.Option(help=MODEL_HELP, metavar="PATH|ID|tiny|none")] = None,
    layouts: Annotated[str | None, typer.Option(help=LAYOUTS_HELP, metavar="NAMES")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed draws other examples. [default: 0]")] = None,
    keep_work: Annotated[
        bool, typer.Option("--keep-work", help="Leave DIR/work, the rows after the filters, in place.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run that DIR holds.")] = False,
) -> None:
    """Make a data set of examples from source code.

    Options of Beam come after `--`, for example `-- --runner=DataflowRunner --project=... --region=...`.
    """
    import time

    logging.disable(logging.WARNING)  # Beam and its optional parts warn of what this command does not use

    from stackfim.pipeline.build.beam_options import parse_engine
    from stackfim.pipeline.build.run import build as run
    from stackfim.pipeline.build.summary import print_summary
    from stackfim.pipeline.folder.counts import BrokenPromise
    from stackfim.pipeline.local.workers import WorkerDied, end_children

    console = Console(stderr=True, highlight=False)
    overrides = {
        "languages": names(languages),
        "grammars": names(grammars),
        "licenses": licenses,
        "opt_out": opt_out,
        "limit": limit,
        "context_bytes": context_bytes,
        "seed": seed,
        "pii": pii,
        "comments_language": comments_language,
        "filters.scores": filter_scores or None,
        "against": tuple(against) if against else None,
        "keep_work": keep_work or None,
        "split.max_slots": per_file,
        "score.model": model,
        "score.layouts": names(layouts),
    }
    again = "Run the same command again: it goes on with the shards that are not complete."
    try:
        engine = parse_engine(list(context.args))
        settings = load_config(config, overrides)
        count = workers or os.cpu_count() or 1
        where = (
            f"{count} {'process' if count == 1 else 'processes'} on this machine (Beam FnApiRunner)"
            if engine.is_local
            else engine.runner
        )
        console.print(f"stackfim build {source} -> {out}: {where}", markup=False, soft_wrap=True)
        time_started = time.monotonic()
        outcome = run(source, out, settings, count, engine, console, overwrite=overwrite)
        print_summary(outcome, out, time.monotonic() - time_started)
    except (UsageError, SourceError) as error:
        fail(USAGE, str(error))
    except BrokenPromise as error:
        fail(BROKEN, str(error))
    except KeyboardInterrupt:
        end_children()
        fail(FAILED, f"interrupted. {again}")
    except WorkerDied as error:
        fail(FAILED, f"a worker process died ({error}), killed from outside or out of memory. {again}")
    except SourceUnavailable as error:
        fail(FAILED, f"{error}. {again}")
    except Exception as error:
        if os.environ.get("STACKFIM_TRACEBACK"):
            errors.print_exception()
        last = str(error).strip().splitlines()[-1] if str(error).strip() else ""
        fail(FAILED, f"the run failed: {type(error).__name__}: {last} (STACKFIM_TRACEBACK=1 shows where). {again}")
