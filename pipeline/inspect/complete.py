"""Writing the middle between a prefix and a suffix with a checkpoint: what a model makes of a place in a file."""

from __future__ import annotations

from pathlib import Path

from stackfim.model.generation import Generation
from stackfim.pipeline.config.usage_error import UsageError


def complete_files(
    checkpoint: str,
    prefix: Path,
    suffix: Path | None,
    *,
    layout: str,
    max_new_tokens: int,
    temperature: float,
    top_p: float,
    seed: int,
) -> Generation:
    """What the checkpoint writes between the texts of two files, until it says end-of-text.

    `checkpoint` is what `model.load` takes. Raises UsageError for a file that is no UTF-8 text, a checkpoint that cannot
    be had or used, and lines at the cursor that are longer than the model's context.
    """
    from stackfim import model
    from stackfim.model.generation import complete

    before, after = _text(prefix), _text(suffix) if suffix is not None else ""
    try:
        loaded = model.load(checkpoint)
        return complete(
            loaded,
            before,
            after,
            layout=layout,
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            top_p=top_p,
            seed=seed,
        )
    except (FileNotFoundError, ValueError) as error:
        raise UsageError(str(error)) from None


def _text(path: Path) -> str:
    try:
        # Line ends stay as they are: a CR is part of what the model reads.
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}, expected a text file") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: byte {error.start} is no UTF-8, expected a text file") from None
