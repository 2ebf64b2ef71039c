"""`stackfim render`, `mix` and `purge`: one data set from another."""

from pathlib import Path
from typing import Annotated

import typer

from stackfim.pipeline.commands.app import (
    ConfigFile,
    DatasetFolder,
    Settings,
    Workers,
    as_usage,
    command,
    print_counts,
    process_count,
)


@command(resumes=True)
def render(
    folder: DatasetFolder,
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
    tokenize: Annotated[
        bool, typer.Option("--tokenize", help="Also give input_ids, labels and completion_mask.")
    ] = False,
    pack: Annotated[
        int | None,
        typer.Option(min=16, help="Pack token ids into rows of this length; an example takes at most half of it."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws other layouts.")] = 0,
    workers: Workers = None,
) -> None:
    """Render examples for one model family: prompt and completion, token ids, or packed rows."""
    from stackfim.model.tokenizer import TokenizerError
    from stackfim.pipeline.derive.render import read_tokenizer, render_folder
    from stackfim.transforms.render.render_settings import RenderSettings

    tokenizer_json = read_tokenizer(tokenizer) if tokenizer is not None else ""
    with as_usage(ValueError):
        settings = RenderSettings(
            family=family,
            spm_share=spm_share,
            spm_form=spm_form,
            header=header,
            max_chars=max_chars,
            max_tokens=max_tokens or (pack // 2 if pack else None),
            tokenize=tokenize or pack is not None,
            tokenizer_json=tokenizer_json,
            seed=seed,
        )
    with as_usage(TokenizerError):
        report = render_folder(folder, out, settings, pack, process_count(workers))
    counts = report.counts
    typer.echo(f"{counts['examples']:,} examples rendered for {family}: {counts['rows']:,} rows in {out}")
    print_counts(counts, "rejected:", "rejected")
    if pack:
        share = counts["padding_tokens"] / max(counts["tokens"], 1)
        typer.echo(f"  {share:.2%} of {counts['tokens']:,} tokens are padding")


@command()
def mix(
    folder: DatasetFolder,
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
        typer.Option(
            help="tokenizer_config.json whose chat template is used. [default: the family's own, or the tokenizer's]",
            metavar="FILE",
        ),
    ] = None,
    chat_license: Annotated[
        str, typer.Option(help="License of conversations that name none. [default: they are left out]", metavar="SPDX")
    ] = "",
    config: ConfigFile = None,
    settings: Settings = None,
    workers: Workers = None,
) -> None:
    """Mix rendered examples with conversations, by shares of tokens.

    Of the settings, `licenses`, `benchmarks` and `seed` are used.
    """
    from stackfim.model.tokenizer import TokenizerError
    from stackfim.pipeline.config.loading import load_config
    from stackfim.pipeline.derive.conversations import ChatSource, check_license, find_chat_template
    from stackfim.pipeline.derive.mix import check_share, mix_folder
    from stackfim.pipeline.derive.render import read_tokenizer
    from stackfim.transforms.mix.filters import ChatLimits
    from stackfim.transforms.render.render_settings import RenderSettings

    check_share(share)
    configuration = load_config(config, settings or ())
    recorded = configuration.recorded()
    allowed = configuration.allowed_licenses()
    check_license(chat_license, allowed)
    tokenizer_json = read_tokenizer(tokenizer)
    with as_usage(ValueError):
        rendering = RenderSettings(
            family=family,
            max_tokens=max_tokens,
            tokenize=True,
            tokenizer_json=tokenizer_json,
            seed=configuration.seed,
        )
    template = find_chat_template(family, tokenizer, chat_template)
    record = {name: recorded[name] for name in ("licenses", "benchmarks")}
    benchmarks = configuration.benchmark_texts()
    source = ChatSource(chat, chat_license, allowed, ChatLimits(), benchmarks, record, template, family)
    with as_usage(TokenizerError):
        report = mix_folder(folder, out, source, share, rendering, process_count(workers))
    counts, tokens = report.counts, report.train_tokens
    typer.echo(
        f"{counts['fim_rows']:,} examples ({tokens['fim']:,} tokens) and {counts['chat_taken']:,} of "
        f"{counts['chat_rows']:,} conversations ({tokens['chat']:,} tokens, {report.chat_share:.2%}) in {out}"
    )
    left_out = {"examples": counts["fim_left_out"], "conversations": counts["chat_left_out"]}
    print_counts({name: count for name, count in left_out.items() if count}, "", "left out to keep to the share")
    print_counts(counts, "rejected:", "rejected")


@command(resumes=True)
def purge(
    folder: Annotated[str, typer.Argument(help="Folder of a finished run.", metavar="DIR")],
    opt_out: Annotated[
        str, typer.Option("--opt-out", help="File of repositories and owners, one on each line.", metavar="FILE")
    ],
    out: Annotated[str, typer.Option("--out", help="Folder of the data set without them.", metavar="DIR2")],
    workers: Workers = None,
) -> None:
    """Take repositories out of a data set: rows, removals, fingerprints, attribution and counts."""
    from stackfim.pipeline.derive.purge import files_taken_out, purge_folder

    report = purge_folder(folder, opt_out, out, process_count(workers))
    counts = report.counts
    typer.echo(
        f"{files_taken_out(report):,} files were taken out; {counts['examples']:,} examples from "
        f"{counts['files_with_examples']:,} files are left in {out}. {folder} is unchanged."
    )
