"""The model that a run scores with: found and checked before anything is written, and identified by its content.

A folder or file is identified by its digest, a Hugging Face id by its commit, so that a run that is resumed scores with the
same weights. Limits, and how much of a context the model is shown, come from `stackfim.json` beside the weights; the
configuration takes precedence.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from stackfim.pipeline.config.score_section import NO_MODEL, TINY_MODEL, ScoreSection
from stackfim.pipeline.config.usage_error import UsageError
from stackfim.schemas.layout import LAYOUTS
from stackfim.transforms.score.model_spec import ModelSpec
from stackfim.transforms.score.score_settings import DEFAULT_ACTIONS, ScoreSettings
from stackfim.transforms.score.verdict_limits import LimitTable

LIMITS_FILE = "stackfim.json"
"""A file beside a checkpoint: an object with `limits` and `context_tokens`, as in [score] of a configuration."""

_LIBRARIES = ("torch", "tokenizers")
_GPU_ACCELERATOR = "type:nvidia-l4;count:1;install-nvidia-driver"


@dataclass(frozen=True)
class Scoring:
    """All that scoring needs, for the graph and for the record."""

    model: ModelSpec
    settings: ScoreSettings
    identity: dict[str, Any]
    """What identifies the model: `model`, and `revision` or `sha256`."""
    hints: dict[str, Any]
    """Beam resource hints, for engines that support them."""

    def recorded(self) -> dict[str, Any]:
        """What scored rows depend on, as JSON values."""
        return {
            **self.identity,
            "dtype": self.model.dtype,
            **self.settings.to_json(),
            "versions": {library: version(library) for library in _LIBRARIES},
        }


def find_scoring(section: ScoreSection, seed: int) -> Scoring | None:
    """The model and the settings of a configuration; None for a run without a model.

    It loads the model once, so that a checkpoint that cannot be used is reported before a run begins. Raises UsageError
    for a checkpoint that does not exist or cannot be used, and for wrong limits.
    """
    if section.model == NO_MODEL:
        return None
    from stackfim.model.checkpoint_error import CheckpointError
    from stackfim.model.tokenizer import TokenizerError

    is_tiny = section.model == TINY_MODEL
    path = tiny_folder() if is_tiny else Path(section.model)
    layouts = section.layouts or (LAYOUTS[:1] if is_tiny else LAYOUTS)
    spec = ModelSpec(section.model, section.revision, section.dtype)
    try:
        loaded = spec.load_model()
        if loaded.tokenizer is None:
            raise ValueError("the checkpoint has no tokenizer, expected tokenizer.json beside its weights")
    except (CheckpointError, TokenizerError, FileNotFoundError, ValueError) as error:
        raise UsageError(f"--model {section.model}: {error}") from error
    if path.exists():
        identity: dict[str, Any] = {"model": section.model if is_tiny else path.name, "sha256": checkpoint_digest(path)}
    else:
        identity = {"model": section.model, "revision": loaded.revision}
    spec = ModelSpec(section.model, loaded.revision, section.dtype)
    limits, context_tokens = _own_settings(section, path, loaded.revision)
    actions = {**DEFAULT_ACTIONS, **section.actions}
    hints = {"min_ram": section.min_ram}
    accelerator = ("" if is_tiny else _GPU_ACCELERATOR) if section.accelerator is None else section.accelerator
    if accelerator:
        hints["accelerator"] = accelerator
    settings = ScoreSettings(tuple(layouts), limits, actions, section.context_tokens or context_tokens, seed)
    return Scoring(spec, settings, identity, hints)


def scoring_threads(workers: int) -> int:
    """How many threads each of `workers` processes may use, so that together they use all cores of the machine."""
    return max(1, (os.cpu_count() or 1) // workers)


def tiny_folder() -> Path:
    """The folder of the checkpoint that comes with stackfim. Raises UsageError for an installation without it."""
    from stackfim.model.checkpoint import SHIPPED

    folder = SHIPPED[TINY_MODEL]
    if not (folder / "config.json").is_file():
        raise UsageError(f"--model {TINY_MODEL}: this installation has no such checkpoint ({folder})")
    return folder


def checkpoint_digest(path: Path) -> str:
    """SHA-256 of a GGUF file, or of the names and bytes of those files of a checkpoint's folder that scores depend on."""
    if path.is_file():
        return _digest(path)
    files = sorted(
        file
        for file in path.iterdir()
        if file.is_file()
        and (file.name in ("config.json", "tokenizer.json") or file.suffix in (".safetensors", ".bin"))
    )
    listed = [[file.name, _digest(file)] for file in files]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _own_settings(section: ScoreSection, path: Path, commit: str | None) -> tuple[LimitTable, int | None]:
    """The limits of the model, changed by those of the configuration, and the model's own `context_tokens`."""
    file = _limits_file(section.model, path, commit)
    limits, context_tokens = LimitTable(), None
    if file is not None:
        try:
            members = json.loads(file.read_text("utf-8"))
            limits = limits.with_changes(members.get("limits", {}))
            context_tokens = members.get("context_tokens")
            ScoreSettings(context_tokens=context_tokens)
        except (ValueError, TypeError, AttributeError, UnicodeDecodeError) as error:
            raise UsageError(f"{file}: {error}; expected an object with limits by category") from error
    try:
        return limits.with_changes(section.limits), context_tokens
    except ValueError as error:
        raise UsageError(f"score.{error}") from error


def _limits_file(name: str, path: Path, commit: str | None) -> Path | None:
    """The file of limits beside a checkpoint, None where there is none."""
    if path.exists():
        file = (path if path.is_dir() else path.parent) / LIMITS_FILE
        return file if file.is_file() else None
    from stackfim.model.hub import FILE_ID, HubRepository

    in_repository = FILE_ID.fullmatch(name)
    return HubRepository(in_repository[1] if in_repository else name, commit).fetch(LIMITS_FILE)
