"""`stackfim complete`: the middle that a checkpoint writes between the prefix and the suffix in two files."""

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
    """What the checkpoint writes between the texts of two files, up to end-of-text; no `suffix` is an empty one.

    `checkpoint` is what `model.load` takes, and the rest what `model.generation.complete` takes. Raises UsageError for a
    file that cannot be read as UTF-8, a checkpoint that does not exist or cannot be used, and lines at the cursor that are
    longer than the model's context.
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
        # Line ends stay as they are, since the model reads a CR too.
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}, expected a text file") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: byte {error.start} is not UTF-8, expected a text file") from None
