"""The command `stackfim`. Exit codes: 0 done, 1 the data broke a promise, 2 wrong usage, 3 the run failed."""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from pipeline.config import DEFAULT_MODEL, UsageError, load_config
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


_MODEL_HELP = (
    f"Checkpoint that scores the examples: a folder, a GGUF file, a Hugging Face id. [default: {DEFAULT_MODEL}]"
)
_LAYOUTS_HELP = "Layouts that it scores, with commas: psm, spm. [default: psm for `tiny`, else both]"


def _names(text: str | None) -> tuple[str, ...] | None:
    """The names of an option with commas; None where it was not given."""
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text is not None else None


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
    model: Annotated[str | None, typer.Option(help=_MODEL_HELP, metavar="PATH|ID|tiny|none")] = None,
    layouts: Annotated[str | None, typer.Option(help=_LAYOUTS_HELP, metavar="NAMES")] = None,
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
        "languages": _names(languages),
        "grammars": _names(grammars),
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
        "score.model": model,
        "score.layouts": _names(layouts),
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


@app.command(name="explain")
def explain_one(
    source: Annotated[str, typer.Argument(help="As for build.", metavar="SOURCE")],
    path: Annotated[str, typer.Option("--path", help="Path of the file in its repository.")],
    repository: Annotated[str | None, typer.Option(help="Its repository, where several have that path.")] = None,
    config: Annotated[Path | None, typer.Option(help="The configuration of the run.", metavar="FILE")] = None,
    languages: Annotated[str | None, typer.Option(help="As for build.", metavar="NAMES")] = None,
    licenses: Annotated[str | None, typer.Option(help="As for build.")] = None,
    opt_out: Annotated[str | None, typer.Option(help="As for build.", metavar="FILE")] = None,
    pii: Annotated[str | None, typer.Option(help="As for build.")] = None,
    comments_language: Annotated[str | None, typer.Option(help="As for build.", metavar="CODE")] = None,
    json_object: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show every filter's scores, limits and verdict for one file, also those behind the first that drops it."""
    from pipeline.explain import as_json, explain_file, print_explanation

    overrides = {"languages": _names(languages), "licenses": licenses, "opt_out": opt_out, "pii": pii}
    overrides["comments_language"] = comments_language
    try:
        explanation = explain_file(source, path, repository, load_config(config, overrides))
    except (UsageError, SourceError) as error:
        _fail(USAGE, str(error))
    except SourceUnavailable as error:
        _fail(FAILED, str(error))
    if json_object:
        typer.echo(as_json(explanation))
    else:
        print_explanation(explanation, Console(highlight=False))


@app.command()
def purge(
    folder: Annotated[str, typer.Argument(help="Folder of a finished run.", metavar="DIR")],
    opt_out: Annotated[
        str, typer.Option("--opt-out", help="File of repositories and owners, one a line.", metavar="FILE")
    ],
    out: Annotated[str, typer.Option("--out", help="Folder of the data set without them.", metavar="DIR2")],
    workers: Annotated[int | None, typer.Option(min=1, help="Processes. [default: one a core]")] = None,
) -> None:
    """Take repositories out of a data set: rows, removals, fingerprints, attribution and counts."""
    from pipeline.purge import purge_folder

    try:
        manifest = purge_folder(folder, opt_out, out, workers or os.cpu_count() or 1)
    except UsageError as error:
        _fail(USAGE, str(error))
    except KeyboardInterrupt:
        _fail(FAILED, "interrupted. Run the same command again: it goes on with the shards that are not complete.")
    counts, gone = manifest["counts"], manifest["rejected"]
    typer.echo(
        f"{gone.get('file:purge:opted_out', 0):,} files were taken out; {counts['examples']:,} examples from "
        f"{counts['files_with_examples']:,} files are left in {out}. {folder} is as it was."
    )


@app.command()
def score(
    folder: Annotated[Path, typer.Argument(help="Folder of a data set, or of parquet shards.", metavar="DIR")],
    out: Annotated[
        str,
        typer.Option(
            "--out", help="Folder of the scored shards; a run that broke off there is taken up again.", metavar="DIR2"
        ),
    ],
    model: Annotated[str | None, typer.Option(help=_MODEL_HELP, metavar="PATH|ID|tiny")] = None,
    layouts: Annotated[str | None, typer.Option(help=_LAYOUTS_HELP, metavar="NAMES")] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file; of it [score] and the seed count.", metavar="FILE")
    ] = None,
    label: Annotated[
        bool, typer.Option("--label", help="Drop nothing, whatever the verdict: what `calibrate` needs.")
    ] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes. [default: one a core, one with a GPU]")] = None,
) -> None:
    """Score examples with a model and judge them: scores, a verdict, and what the verdict drops."""
    from pipeline.manifest import BrokenPromise
    from pipeline.score import score_folder, scoring_workers
    from pipeline.scoring_model import find_scoring
    from transforms.score.diagnostics import lines

    try:
        settings = load_config(config, {"score.model": model, "score.layouts": _names(layouts)})
        if label:
            settings = settings.labelling()
        scoring = find_scoring(settings.score, settings.seed)
        if scoring is None:
            raise UsageError("--model none: expected a model to score with: a folder, a GGUF file or a Hugging Face id")
        said = score_folder(folder, out, scoring, workers or scoring_workers())
    except UsageError as error:
        _fail(USAGE, str(error))
    except BrokenPromise as error:
        _fail(BROKEN, str(error))
    counts = said["counts"]
    typer.echo(f"{counts['examples_in']:,} examples scored: {counts['examples']:,} in {out}")
    for prefix, where in (("verdict:", "kept"), ("rejected:example:", "dropped")):
        for name, count in counts.items():
            if name.startswith(prefix):
                typer.echo(f"  {count:>9,} {where}: {name.removeprefix(prefix)}")
    for line in lines(said["diagnostics"]):
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
    from pipeline.calibrate import calibrate_folder

    try:
        text = calibrate_folder(folder, out, share, min_rows)
    except UsageError as error:
        _fail(USAGE, str(error))
    typer.echo(text, nl=False)


@app.command()
def mix(
    folder: Annotated[Path, typer.Argument(help="Folder of a data set, or of parquet shards.", metavar="DIR")],
    chat: Annotated[
        str, typer.Option("--chat", help="Conversations: hf://datasets/ORG/NAME, or parquet files.", metavar="SOURCE")
    ],
    out: Annotated[str, typer.Option("--out", help="Folder of the mixture.", metavar="DIR2")],
    tokenizer: Annotated[Path, typer.Option(help="The family's tokenizer.json, or a folder with it.")],
    share: Annotated[float, typer.Option(help="Share of conversations in the training split, by tokens.")] = 0.15,
    family: Annotated[str, typer.Option("--format", help="Model family of the examples.")] = "refact",
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Most tokens of a rendered example.")] = None,
    chat_template: Annotated[
        Path | None,
        typer.Option(help="tokenizer_config.json whose chat template is used. [default: Refact's]", metavar="FILE"),
    ] = None,
    chat_license: Annotated[
        str, typer.Option(help="License of conversations that name none. [default: they are left out]", metavar="SPDX")
    ] = "",
    config: Annotated[
        Path | None, typer.Option(help="TOML file; of it licenses, benchmarks and the seed count.", metavar="FILE")
    ] = None,
) -> None:
    """Mix rendered examples with conversations, by shares of tokens."""
    from model.tokenizer import TokenizerError
    from pipeline.mix import ChatSource, mix_folder
    from pipeline.render import read_tokenizer
    from transforms.mix.filters import ChatLimits
    from transforms.render.settings import RenderSettings

    try:
        settings = load_config(config, {})
        template = chat_template.read_text("utf-8") if chat_template is not None else None
        allowed = settings.allowed_licenses()
        source = ChatSource(chat, chat_license, allowed, ChatLimits(), settings.benchmark_texts(), template)
        rendering = RenderSettings(
            family=family,
            max_tokens=max_tokens,
            tokenize=True,
            tokenizer_json=read_tokenizer(tokenizer),
            seed=settings.seed,
        )
        said = mix_folder(folder, out, source, share, rendering)
    except (UsageError, ValueError, OSError, TokenizerError) as error:
        _fail(USAGE, str(error))
    counts, tokens = said["counts"], said["train_tokens"]
    typer.echo(
        f"{counts['fim_rows']:,} examples ({tokens['fim']:,} tokens) and {counts['chat_taken']:,} of "
        f"{counts['chat_rows']:,} conversations ({tokens['chat']:,} tokens, {said['chat_share']:.2%}) in {out}"
    )
    for name, count in counts.items():
        if name.startswith("rejected:"):
            typer.echo(f"  {count:>9,} rejected: {name.removeprefix('rejected:')}")


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
