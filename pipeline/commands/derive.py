"""`stackfim render`, `mix` and `purge`: another data set from one."""

import os
from pathlib import Path
from typing import Annotated

import typer

from stackfim.pipeline.commands.app import FAILED, USAGE, app, fail
from stackfim.pipeline.config.run_config import UsageError, load_config


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
    from stackfim.model.tokenizer import TokenizerError
    from stackfim.pipeline.derive.render import read_tokenizer, render_folder
    from stackfim.transforms.render.render_settings import RenderSettings

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
        report = render_folder(folder, out, settings, pack, workers or os.cpu_count() or 1)
    except (UsageError, ValueError, TokenizerError) as error:
        fail(USAGE, str(error))
    counts = report.counts
    typer.echo(f"{counts['examples']:,} examples rendered for {family}: {counts['rows']:,} rows in {out}")
    for name, count in counts.items():
        if name.startswith("rejected:"):
            typer.echo(f"  {count:,} rejected: {name.removeprefix('rejected:')}")
    if pack:
        typer.echo(
            f"  {counts['padding_tokens'] / max(counts['tokens'], 1):.2%} of {counts['tokens']:,} tokens are padding"
        )


@app.command()
def mix(
    folder: Annotated[Path, typer.Argument(help="Folder of a data set, or of parquet shards.", metavar="DIR")],
    chat: Annotated[
        str, typer.Option("--chat", help="Conversations: hf://datasets/ORG/NAME, or parquet files.", metavar="SOURCE")
    ],
    out: Annotated[str, typer.Option("--out", help="Folder of the mixture.", metavar="DIR2")],
    tokenizer: Annotated[Path, typer.Option(help="The family's tokenizer.json, or a folder with it.")],
    share: Annotated[float, typer.Option(help="Share of conversations in the training partition, by tokens.")] = 0.15,
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
    workers: Annotated[int | None, typer.Option(min=1, help="Processes. [default: one a core]")] = None,
) -> None:
    """Mix rendered examples with conversations, by shares of tokens."""
    from stackfim.model.tokenizer import TokenizerError
    from stackfim.pipeline.derive.conversations import ChatSource
    from stackfim.pipeline.derive.mix import mix_folder
    from stackfim.pipeline.derive.render import read_tokenizer
    from stackfim.transforms.mix.filters import ChatLimits
    from stackfim.transforms.render.render_settings import RenderSettings

    try:
        settings = load_config(config, {})
        template = chat_template.read_text("utf-8") if chat_template is not None else None
        configuration = {name: settings.recorded()[name] for name in ("licenses", "benchmarks")}
        source = ChatSource(
            chat,
            chat_license,
            settings.allowed_licenses(),
            ChatLimits(),
            settings.benchmark_texts(),
            configuration,
            template,
        )
        rendering = RenderSettings(
            family=family,
            max_tokens=max_tokens,
            tokenize=True,
            tokenizer_json=read_tokenizer(tokenizer),
            seed=settings.seed,
        )
        report = mix_folder(folder, out, source, share, rendering, workers or os.cpu_count() or 1)
    except (UsageError, ValueError, OSError, TokenizerError) as error:
        fail(USAGE, str(error))
    counts, tokens = report.counts, report.train_tokens
    typer.echo(
        f"{counts['fim_rows']:,} examples ({tokens['fim']:,} tokens) and {counts['chat_taken']:,} of "
        f"{counts['chat_rows']:,} conversations ({tokens['chat']:,} tokens, {report.chat_share:.2%}) in {out}"
    )
    for name, count in counts.items():
        if name.startswith("rejected:"):
            typer.echo(f"  {count:>9,} rejected: {name.removeprefix('rejected:')}")


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
    from stackfim.pipeline.derive.purge import purge_folder

    try:
        manifest = purge_folder(folder, opt_out, out, workers or os.cpu_count() or 1)
    except UsageError as error:
        fail(USAGE, str(error))
    except KeyboardInterrupt:
        fail(FAILED, "interrupted. Run the same command again: it goes on with the shards that are not complete.")
    counts, gone = manifest.counts, manifest.rejected
    typer.echo(
        f"{gone.get('file:purge:opted_out', 0):,} files were taken out; {counts['examples']:,} examples from "
        f"{counts['files_with_examples']:,} files are left in {out}. {folder} is as it was."
    )
