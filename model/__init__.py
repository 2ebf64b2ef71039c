"""Refact-1.6B in PyTorch: the network, its published checkpoints, a scorer and a generator.

The package knows nothing of the pipeline. Importing it costs little: PyTorch is imported by the first call of `load`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

    import torch

    from stackfim.model.checkpoint import Model

__all__ = ["load"]


def load(
    path_or_id: str | os.PathLike[str],
    *,
    dtype: str | torch.dtype = "bfloat16",
    device: str | torch.device | None = None,
    revision: str | None = None,
) -> Model:
    """A checkpoint as an object with `.config`, `.network` and `.tokenizer` (None where the checkpoint has none).

    `path_or_id` is a folder, a `.gguf` file, `tiny` (a small checkpoint that comes with this package), a Hugging Face id
    (`ORG/NAME`) or a GGUF file of one (`ORG/NAME/FILE.gguf`); what exists on disk comes first. `revision` is a branch, tag
    or commit, and goes only with an id. The weights have the given `dtype` (float32, bfloat16 or float16), whatever the
    file holds. `device` is by default a CUDA device where there is one, else the CPU.

    `.network.logits(.network.hidden(input_ids))` gives float32 logits (batch, length, vocabulary) for int64 ids (batch,
    length); what else a network can do is in `model.interfaces`.

    Raises FileNotFoundError where there is nothing of that name, `model.checkpoint_error.CheckpointError` for files that
    are wrong, truncated, hostile or of an unknown network, and `model.tokenizer.TokenizerError` for a tokenizer that would
    change text.
    """
    from stackfim.model.checkpoint import load as load_checkpoint

    return load_checkpoint(path_or_id, dtype=dtype, device=device, revision=revision)
