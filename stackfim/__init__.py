"""Fill-in-the-middle training data from source code, with middles that stop where an editor should.

The functions of this module do in memory what the command `stackfim` does with folders. They take and give rows as an
Arrow table, a `datasets.Dataset`, a dict of columns or dicts, and a result has the form of what went in::

    import stackfim

    examples = stackfim.split(open("queue.py").read(), "Python")
    assert not stackfim.verify(examples)
    for row in stackfim.render(examples, "starcoder2"):
        print(row["prompt"], row["completion"])

`build` makes a data set in a folder, with everything that a large run needs: see there. Importing this module costs
nothing: each function imports what it needs when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import os

    import torch

    from stackfim.model.checkpoint import Model
    from stackfim.pipeline.build.run import Outcome
    from stackfim.pipeline.config.usage_error import UsageError
    from stackfim.pipeline.folder.counts import BrokenPromise
    from stackfim.pipeline.sources import SourceError
    from stackfim.transforms.verify.violation import Violation

__all__ = [
    "BrokenPromise",
    "Deduplicated",
    "Filtered",
    "SourceError",
    "UsageError",
    "build",
    "deduplicate",
    "filter",
    "load",
    "render",
    "score",
    "split",
    "verify",
]

_ERRORS = {
    "BrokenPromise": "stackfim.pipeline.folder.counts",
    "SourceError": "stackfim.pipeline.sources",
    "UsageError": "stackfim.pipeline.config.usage_error",
}


def __getattr__(name: str) -> Any:
    """The errors that functions here raise, from the modules that define them, once they are asked for."""
    if name not in _ERRORS:
        raise AttributeError(f"module 'stackfim' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_ERRORS[name]), name)


class Filtered(NamedTuple):
    """What `filter` gives."""

    kept: Any
    """The rows that passed, with all of their columns; `language` is the one that the file shows."""
    rejected: Any
    """A row for each of the others: unit, stage, reason, repository, path, content_id, detail."""


class Deduplicated(NamedTuple):
    """What `deduplicate` gives."""

    kept: Any
    """The rows that stay, with all of their columns."""
    removals: Any
    """A row for each of the others: what was removed, what stays for it, how similar they are, and by which method."""


def split(text_or_rows: Any, language: str | None = None, **settings: Any) -> Any:
    """Fill-in-the-middle examples of one text, or of rows with a column `content`.

    `language` is a name that The Stack uses, such as `"Python"` or `"C++"`; rows may have a column `language` or `lang`
    instead. Columns `path`, `repository`, `revision` and `licenses` are copied to the examples where they are there.
    `settings` are the keys of `[split]` in a configuration: `max_slots=4`, `context_bytes=0` for whole files, `seed=1`,
    `category_weights={"empty": 12, "multi_line": 35}`, and others (docs/data-model.md).

    Gives a list of dicts for a text, and for rows the form that they have. Each example has the columns of
    schemas.example.EXAMPLE: `prefix`, `middle`, `suffix`, `category`, `kind`, `stop_reason`, and where they stand in the
    file. The same text, settings and version give the same examples. A text in which no place is fit for an example
    gives none: generated code, data, a file that its grammar cannot parse.

    Nothing is filtered or redacted: `filter` comes before. Raises ValueError for a language that is not supported and
    for rows without content, TypeError and ValueError for settings that there are not.
    """
    from stackfim.in_memory import split_rows

    return split_rows(text_or_rows, language, settings)


def filter(rows: Any, language: str | None = None, **settings: Any) -> Filtered:
    """The rows that are worth learning from: license, language, size, generated and vendored code, data, repetition.

    `rows` have a column `content`, `language` or `lang` (or the argument), and `path`, `repository` and `licenses` where
    they are known. `settings` are the keys of a configuration that filters use: `licenses="permissive"` (a preset, a
    file or a list of SPDX identifiers), `languages=["Python", "Go"]`, `pii="drop"`, `comments_language="en"`, and those
    of `[filters]`: `max_line_chars=500`, `allow_missing_licenses=True`, `switched_off=["license"]`, and others
    (docs/filters.md).

    Gives `Filtered(kept, rejected)`, both in the form of `rows` and in their order. Every row is in one of the two.
    A row without a license is rejected unless `allow_missing_licenses` says otherwise.

    Raises ValueError for rows without content or language, and `UsageError` for settings that there are not.
    """
    from stackfim.in_memory import filter_rows

    return filter_rows(rows, language, settings)


def deduplicate(rows: Any, language: str | None = None, **settings: Any) -> Deduplicated:
    """The rows without exact copies and near-duplicates; of each group of similar files the best one stays.

    Best is the one with the most stars, then forks, then the first by repository, path and content. `settings` are the
    keys of `[dedup]`: `threshold=0.8` (Jaccard similarity of word 5-grams), `near=False` for exact copies only, and
    others (docs/deduplication.md). Content is compared as it is, in any language.

    Gives `Deduplicated(kept, removals)`, both in the form of `rows` and in their order. All rows are in memory at once;
    `build` does the same for any number of files.

    Raises ValueError for rows without content, and `UsageError` for settings that there are not.
    """
    from stackfim.in_memory import deduplicate_rows

    return deduplicate_rows(rows, language, settings)


def render(
    examples: Any,
    format: str,
    tokenizer: str | os.PathLike[str] | None = None,
    max_tokens: int | None = None,
    **settings: Any,
) -> Any:
    """Examples as prompt and completion of one model family.

    `format` is a family, such as `"refact"`, `"starcoder2"` or `"qwen2.5-coder"` (docs/training.md lists them).
    `tokenizer` is the family's `tokenizer.json`, or a folder with it; `max_tokens` cuts prefix and suffix, by whole lines
    from their far ends, until prompt and completion have at most so many tokens of it. `settings` are further options:
    `max_chars`, `spm_share`, `header=True`, `tokenize=True` for `input_ids` and `labels`, `seed`.

    Gives the examples with the columns `prompt`, `completion` and `layout`, in the form of `examples`. An example that
    cannot be rendered for the family is left out: its text holds a sentinel, or the lines at the cursor do not fit.

    Raises ValueError for a family or a setting that there is not, and `stackfim.model.tokenizer.TokenizerError` for a
    tokenizer that is not the family's.
    """
    from stackfim.in_memory import render_rows

    return render_rows(examples, format, tokenizer, max_tokens, settings)


def verify(examples: Any, originals: Any = None) -> list[Violation]:
    """Checks every invariant of examples and gives what is broken: an empty list says that all is well.

    What a row shows by itself is always checked: that edits can be undone, that offsets and text agree, that the stop
    reason is true. Where the whole file is known, so are place and end by its syntax tree: a row that covers its whole
    file has it, others have it from `originals`, rows with a column `content`.

    Gives a list of `Violation(example_id, invariant, message)`. Raises ValueError for rows that are no examples.
    """
    from stackfim.in_memory import verify_rows

    return verify_rows(examples, originals)


def score(examples: Any, model: str | os.PathLike[str] = "tiny", **settings: Any) -> Any:
    """Examples with the scores that a model gives their middles, and a verdict for each.

    `model` is `"tiny"` (comes with stackfim), a checkpoint's folder, a GGUF file or a Hugging Face id. `settings` are the
    keys of `[score]`: `layouts=["psm"]`, `limits`, `context_tokens`, and others (docs/scoring.md).

    Gives the examples with the columns `tokens`, `score_psm`, `score_spm` and `verdict`, in the form of `examples`. No
    row is dropped: `verdict` is `accept` or the reason to doubt the row.

    Raises `UsageError` for a model that there is not, or that cannot score.
    """
    from stackfim.in_memory import score_rows

    return score_rows(examples, model, settings)


def build(
    source: str,
    out: str | os.PathLike[str],
    *,
    workers: int | None = None,
    overwrite: bool = False,
    progress: bool = True,
    **settings: Any,
) -> Outcome:
    """Makes a data set in the folder `out`, as `stackfim build` does: filtered, deduplicated, redacted, split, scored.

    `source` is `hf://datasets/ORG/NAME[@REVISION][/SUBFOLDER]`, `parquet:FOLDER-OR-GLOB` or `code:FOLDER`. `settings` are
    the keys of a configuration file: `languages=["Python"]`, `licenses="permissive"`, `limit=1000`, `seed=7`, sections
    as dicts: `split={"max_slots": 4}`, `score={"model": "none"}`. `workers` is the number of processes, None for one for
    each core. `progress` tells on standard error how far the run is.

    A run that broke off is taken up again by the same call and ends with the same bytes; a run that is complete is left
    as it is. `overwrite` replaces whatever run the folder holds.

    Gives an `Outcome`: the manifest with all counts, and whether the run was there already. The rows are then
    `datasets.load_dataset(out)`, or the parquet files below `out/data`.

    Raises `UsageError` and `SourceError` before anything is written, `BrokenPromise` when rows were lost; after any other
    error the same call goes on with the shards that are not complete.
    """
    from stackfim.in_folder import build_folder

    return build_folder(source, out, settings, workers=workers, overwrite=overwrite, progress=progress)


def load(
    model: str | os.PathLike[str],
    *,
    dtype: str | torch.dtype = "bfloat16",
    device: str | torch.device | None = None,
    revision: str | None = None,
) -> Model:
    """A checkpoint with its network and tokenizer: `"tiny"`, a folder, a GGUF file or a Hugging Face id.

    `revision` is a branch, tag or commit of an id. `dtype` is float32, bfloat16 or float16, whatever the file holds;
    `device` is a CUDA device where there is one, else the CPU. Gives a `Model` with `.config`, `.tokenizer` and
    `.network`, whose `logits(hidden(ids))` takes int64 ids (batch, length) and gives float32 logits (batch, length,
    vocabulary); `stackfim.model.generation.complete(model, prefix, suffix)` writes a middle with it.

    Raises FileNotFoundError where there is nothing of that name, and `stackfim.model.checkpoint_error.CheckpointError` for files
    that are wrong, truncated or hostile.
    """
    from stackfim.model import load as load_model

    return load_model(model, dtype=dtype, device=device, revision=revision)
