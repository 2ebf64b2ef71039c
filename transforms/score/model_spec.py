"""A checkpoint by its name, which travels to every process of a run and is loaded there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stackfim.model.checkpoint import Model
    from stackfim.model.scorer import Scorer

AUTO = "auto"
"""The dtype that suits the device: bfloat16 on a GPU, float32 on a CPU."""


@dataclass(frozen=True)
class ModelSpec:
    """The name of a checkpoint: plain values, so that they can travel in the graph while the weights do not."""

    name: str
    """`tiny`, which every installation finds in its own place, or what `model.load` takes: a folder, a GGUF file, an id."""
    revision: str | None = None
    """The commit of a Hugging Face id."""
    dtype: str = AUTO
    """`auto`, or a dtype that `model.load` takes."""

    def load_model(self) -> Model:
        """The checkpoint in this process, on a GPU where there is one. Raises what `model.load` raises."""
        import torch

        from stackfim import model
        from stackfim.model.checkpoint import SHIPPED

        dtype = ("bfloat16" if torch.cuda.is_available() else "float32") if self.dtype == AUTO else self.dtype
        return model.load(SHIPPED.get(self.name, self.name), dtype=dtype, revision=self.revision)

    def load_scorer(
        self, layouts: Sequence[str], threads: int | None = None, context_tokens: int | None = None
    ) -> Scorer:
        """A scorer in this process; `layouts` and `context_tokens` as `model.scorer.Scorer` takes them.

        On a CPU it uses at most `threads` threads (None for PyTorch's choice), or fewer if the environment says so
        (OMP_NUM_THREADS). Raises what `model.load` raises, and ValueError for a checkpoint without a tokenizer.
        """
        import torch

        from stackfim.model.scorer import Scorer

        if threads is not None:
            torch.set_num_threads(min(threads, torch.get_num_threads()))
        return Scorer(self.load_model(), layouts=layouts, context_tokens=context_tokens)
