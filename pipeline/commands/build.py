"""`stackfim build`: from source code to a data set."""

import logging
from typing import Annotated

import typer
from rich.console import Console

from stackfim.pipeline.commands.app import ConfigFile, Settings, Workers, command, names, process_count
from stackfim.pipeline.local.terminal import visible
from stackfim.pipeline.sources import SOURCE_FORMS

MODEL_HELP = "Checkpoint that scores the examples: a folder, a GGUF file or a Hugging Face id. [default: tiny]"


@command(resumes=True, context_settings={"allow_extra_args": True, "ignore_unknown_options": False})
def build(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            help=SOURCE_FORMS,
            metavar="SOURCE",
        ),
    ],
    out: Annotated[
        str,
        typer.Option("--out", help="Folder of the data set; a run that broke off there is resumed.", metavar="DIR"),
    ],
    config: ConfigFile = None,
    settings: Settings = None,
    languages: Annotated[
        str | None, typer.Option(help="Languages to keep, with commas. [default: all supported]", metavar="NAMES")
    ] = None,
    licenses: Annotated[
        str | None,
        typer.Option(
            help="`permissive`, `stack-v1`, `public-domain`, or a file with one SPDX identifier on each line. "
            "[default: permissive]"
        ),
    ] = None,
    opt_out: Annotated[
        str | None,
        typer.Option(help="Leave out the repositories and owners in this file, one on each line.", metavar="FILE"),
    ] = None,
    workers: Workers = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Read at most this many rows, of shards and files that a hash draws.", metavar="ROWS"),
    ] = None,
    limit_first: Annotated[
        int | None,
        typer.Option("--limit-first", min=1, help="Read at most this many rows, the first ones.", metavar="ROWS"),
    ] = None,
    worktree: Annotated[
        bool, typer.Option("--worktree", help="Read git work trees as they lie there, without a revision.")
    ] = False,
    on_bad_shard: Annotated[
        str | None,
        typer.Option(
            help="A shard that cannot be read to its end: `fail`, or `skip` it and record that. [default: fail]"
        ),
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
    filter_scores: Annotated[
        bool, typer.Option("--filter-scores", help="Also write every file's filter scores, to DIR/filter_scores.")
    ] = False,
    model: Annotated[str | None, typer.Option(help=MODEL_HELP, metavar="PATH|ID|tiny|none")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed draws other examples. [default: 0]")] = None,
    keep_work: Annotated[
        bool, typer.Option("--keep-work", help="Leave DIR/work, the rows after the filters, in place.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run that DIR holds.")] = False,
) -> None:
    """Make a data set of examples from source code.

    Options of Beam come after `--`, for example `-- --runner=DataflowRunner --project=... --region=...`.
    """
    logging.disable(logging.WARNING)  # Beam and its optional parts warn of what this command does not use

    from stackfim.pipeline.build.beam_options import parse_engine
    from stackfim.pipeline.build.run import build as run
    from stackfim.pipeline.build.summary import print_summary
    from stackfim.pipeline.config.loading import Option, load_config
    from stackfim.pipeline.local.memory import bound_memory

    bound_memory()

    options = [
        Option("--languages", "languages", names(languages)),
        Option("--licenses", "licenses", licenses),
        Option("--opt-out", "opt_out", opt_out),
        Option("--limit", "limit", limit),
        Option("--limit-first", "limit_first", limit_first),
        Option("--worktree", "worktree", worktree or None),
        Option("--on-bad-shard", "on_bad_shard", on_bad_shard),
        Option("--context-bytes", "context_bytes", context_bytes),
        Option("--against", "against", tuple(against) if against else None),
        Option("--pii", "pii", pii),
        Option("--filter-scores", "filters.scores", filter_scores or None),
        Option("--model", "score.model", model),
        Option("--seed", "seed", seed),
        Option("--keep-work", "keep_work", keep_work or None),
    ]
    engine = parse_engine(list(context.args))
    configuration = load_config(config, settings or (), options)
    count = process_count(workers)
    where = (
        f"{count} {'process' if count == 1 else 'processes'} on this machine (Beam FnApiRunner)"
        if engine.is_local
        else engine.runner
    )
    console = Console(stderr=True, highlight=False, emoji=False)
    console.print(visible(f"stackfim build {source} -> {out}: {where}"), markup=False, soft_wrap=True)
    outcome = run(source, out, configuration, count, engine, console, overwrite=overwrite)
    print_summary(outcome, out)
