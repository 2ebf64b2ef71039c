"""The command `stackfim`. Exit codes: 0 done, 1 the data broke a promise, 2 wrong usage, 3 the run failed."""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from pipeline.config import UsageError, load_config
from pipeline.sources import SourceError, SourceUnavailable

DONE, BROKEN, USAGE, FAILED = 0, 1, 2, 3

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Fill-in-the-middle training data from source code, with middles that stop where an editor should.",
    epilog="Exit codes: 0 done, 1 the data broke a promise, 2 wrong usage, 3 the run failed.",
)
_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def _fail(code: int, message: str) -> NoReturn:
    _errors.print(f"stackfim: {message}", markup=False)
    sys.stdout.flush()
    sys.stderr.flush()
    if code == FAILED:
        os._exit(code)  # Beam's threads may still wait for workers
    raise typer.Exit(code)


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
    licenses: Annotated[
        str | None, typer.Option(help="`permissive`, or a file with an SPDX identifier a line. [default: permissive]")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes. [default: one a core]")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Read at most so many rows.", metavar="ROWS")] = None,
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

    from pipeline.beam_options import parse_engine
    from pipeline.closing import print_closing
    from pipeline.manifest import BrokenPromise
    from pipeline.run import build as run
    from pipeline.workers import WorkerDied, end_children

    console = Console(stderr=True, highlight=False)
    overrides = {
        "languages": tuple(name.strip() for name in languages.split(",") if name.strip())
        if languages is not None
        else None,
        "licenses": licenses,
        "limit": limit,
        "context_bytes": context_bytes,
        "seed": seed,
        "pii": pii,
        "against": tuple(against) if against else None,
        "keep_work": keep_work or None,
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
        print_closing(outcome, out, time.monotonic() - time_started)
    except (UsageError, SourceError) as error:
        _fail(USAGE, str(error))
    except BrokenPromise as error:
        _fail(BROKEN, str(error))
    except KeyboardInterrupt:
        end_children()
        _fail(FAILED, f"interrupted. {again}")
    except WorkerDied as error:
        _fail(FAILED, f"a worker process died ({error}), killed from outside or out of memory. {again}")
    except SourceUnavailable as error:
        _fail(FAILED, f"{error}. {again}")
    except Exception as error:
        if os.environ.get("STACKFIM_TRACEBACK"):
            _errors.print_exception()
        last = str(error).strip().splitlines()[-1] if str(error).strip() else ""
        _fail(FAILED, f"the run failed: {type(error).__name__}: {last} (STACKFIM_TRACEBACK=1 shows where). {again}")


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
    from pipeline.verify import print_report, verify_folder

    try:
        report = verify_folder(folder, source, workers or os.cpu_count() or 1)
    except (UsageError, SourceError) as error:
        _fail(USAGE, str(error))
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
    from pipeline.show import show_examples

    try:
        show_examples(folder, category=category, kind=kind, language=language, count=n, seed=seed, lines=lines)
    except UsageError as error:
        _fail(USAGE, str(error))


@app.command()
def render(
    folder: Annotated[Path, typer.Argument(help="Folder of a data set, or of parquet shards.", metavar="DIR")],
    out: Annotated[str, typer.Option("--out", help="Folder of the rendered shards.", metavar="DIR2")],
    family: Annotated[str, typer.Option("--format", help="Model family, such as refact or qwen2.5-coder.")] = "refact",
    tokenizer: Annotated[
        Path | None, typer.Option(help="The family's tokenizer.json, or a folder with it: tokens are counted with it.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Most tokens of prompt and completion.")] = None,
    max_chars: Annotated[int | None, typer.Option(min=1, help="Most characters of prompt and completion.")] = None,
    spm_share: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share with the suffix first. [default: half, if the family has both]"),
    ] = None,
    spm_form: Annotated[str | None, typer.Option(help="`separate` or `joined`. [default: the family's own]")] = None,
    header: Annotated[
        bool, typer.Option("--header", help="Path and repository first, in families that have it.")
    ] = False,
    tokenize: Annotated[bool, typer.Option("--tokenize", help="Also give input_ids and loss_mask.")] = False,
    pack: Annotated[
        int | None, typer.Option(min=16, help="Pack token ids into rows of so many tokens; examples up to half of it.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws other layouts.")] = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes. [default: one a core]")] = None,
) -> None:
    """Render examples for one model family: prompt and completion, token ids, or packed rows."""
    from model.tokenizer import TokenizerError
    from pipeline.render import read_tokenizer, render_folder
    from transforms.render.settings import RenderSettings

    try:
        settings = RenderSettings(
            family=family,
            spm_share=spm_share,
            spm_form=spm_form,
            header=header,
            max_chars=max_chars,
            max_tokens=max_tokens or (pack // 2 if pack else None),
            tokenize=tokenize or pack is not None,
            tokenizer_json=read_tokenizer(tokenizer) if tokenizer is not None else "",
            seed=seed,
        )
        said = render_folder(folder, out, settings, pack, workers or os.cpu_count() or 1)
    except (UsageError, ValueError, TokenizerError) as error:
        _fail(USAGE, str(error))
    counts = said["counts"]
    typer.echo(f"{counts['examples']:,} examples rendered for {family}: {counts['rows']:,} rows in {out}")
    for name, count in counts.items():
        if name.startswith("rejected:"):
            typer.echo(f"  {count:,} rejected: {name.removeprefix('rejected:')}")
    if pack:
        typer.echo(
            f"  {counts['padding_tokens'] / max(counts['tokens'], 1):.2%} of {counts['tokens']:,} tokens are padding"
        )


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
    from pipeline.complete import complete_files

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
        _fail(USAGE, str(error))
    typer.echo(written.text, nl=False)
    if written.stop != "end_of_text":
        _errors.print(f"stackfim: stopped at {written.stop}, not at the end of the text", markup=False)


@app.command()
def version() -> None:
    """Print the version."""
    from pipeline.manifest import stackfim_version

    typer.echo(stackfim_version())


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
