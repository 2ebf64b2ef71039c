"""Training sequences from examples that the pipeline wrote: chosen, rendered, cut to a length and packed.

Repositories are held out by a hash of their name, so that a network can be judged on code that it has not seen. All draws
depend on the seed and the place in the data alone, so training that was interrupted continues with the batch that would
have come next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from stackfim.model.context import fit_context_within
from stackfim.model.ends import line_ends, line_too_many
from stackfim.model.interfaces import FimTokenizer
from stackfim.model.prompt import FimPrompt
from stackfim.schemas.layout import LAYOUTS
from stackfim.schemas.manifest import Manifest
from stackfim.schemas.record import RecordMismatch
from stackfim.transforms.render.budget import first_lines, last_lines

# Characters kept on each side of a cursor: more than 512 tokens ever hold of code.

# Characters kept on each side of a cursor: more than 512 tokens of code ever have.
CONTEXT_CHARS = 4096

# Rows encoded at a time, about 150,000 tokens.
CHUNK = 512


class TrainingDataError(ValueError):
    """A folder that cannot be trained on; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Example:
    """One row of the pipeline: its texts and their source."""

    prefix: str
    middle: str
    suffix: str
    category: str
    language: str
    repository: str
    revision: str
    licenses: tuple[str, ...]
    content_id: str

    @property
    def row(self) -> tuple[str, str, str]:
        """Prefix, middle and suffix, as the scorer takes them."""
        return self.prefix, self.middle, self.suffix


@dataclass(frozen=True, slots=True)
class Partitions:
    """Examples to train on, and held-out examples of other repositories, both in the order of their files."""

    train: list[Example]
    held_out: list[Example]


@dataclass(frozen=True)
class SequenceSettings:
    """How examples become sequences. Lengths are in tokens.

    The length of an example's context is drawn, evenly on a logarithmic scale, from `shortest_context` to
    `longest_context`: short ones show more middles and ends for the same number of tokens, long ones show how a context
    informs the middle. With its middle it has at most `longest` tokens.

    The network also learns where a middle does not end: wherever a line ends before the middle's end
    (`line_end_weight`), and after a copy of the suffix's next line (`later_end_weight`).
    """

    seed: int = 0
    batch_tokens: int = 2048
    shortest_context: int = 24
    longest_context: int = 192
    longest: int = 512
    context_weight: float = 1.0
    middle_weight: float = 3.0
    end_weight: float = 16.0
    line_end_weight: float = 4.0
    later_end_weight: float = 16.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences one after the other: `input_ids`, the `targets` that follow each, the `weights` of their losses.

    `no_end_weights` are the weights of the loss of end-of-text where a middle does not end. All four have shape
    (tokens,), the ids int64 and the weights float32; `segments` are the lengths of the sequences.
    """

    input_ids: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    no_end_weights: npt.NDArray[np.float32]
    segments: list[int]


@dataclass(frozen=True, slots=True)
class _Sequence:
    """Ids of a prompt, of a middle with end-of-text, and of the line that could follow the middle, if any."""

    prompt: list[int]
    completion: list[int]
    later: list[int]

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.completion) - 1 + len(self.later)


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the data a batch is: passes made before it, chunk in its pass, batch in its chunk; all from 0."""

    epoch: int = 0
    chunk: int = 0
    batch: int = 0


def read_examples(folder: str | Path, *, held_out_share: float, held_out_seed: int) -> Partitions:
    """The examples in a folder of `stackfim build`, each context cut to `CONTEXT_CHARS` by whole lines.

    The run's own validation rows and the repositories that `is_held_out` chooses are held out. Raises TrainingDataError
    for a folder that is not a finished run, and for a run that also took files under licenses that are not permissive.
    """
    folder = Path(folder)
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise TrainingDataError(f"{folder}: no manifest.json, expected a finished folder of `stackfim build`")
    try:
        licenses = Manifest.from_json(manifest.read_bytes()).configuration["licenses"]
    except RecordMismatch as error:
        raise TrainingDataError(f"{manifest}: {error}") from error
    if licenses != "permissive":
        raise TrainingDataError(f"{folder}: made with licenses={licenses!r}, expected 'permissive'")
    partitions = Partitions([], [])
    for name in ("train", "validation"):
        for path in sorted((folder / "data").glob(f"{name}-*.parquet")):
            for example in read_shard(path):
                held_out = name == "validation" or is_held_out(example.repository, held_out_share, held_out_seed)
                (partitions.held_out if held_out else partitions.train).append(example)
    # The pipeline makes partitions by repository, we by its name: a fork's sibling may be among its validation rows.
    names = {_project(example.repository) for example in partitions.held_out}
    train = [example for example in partitions.train if _project(example.repository) not in names]
    moved = [example for example in partitions.train if _project(example.repository) in names]
    if not train:
        raise TrainingDataError(f"{folder}: no examples to train on")
    return Partitions(train, partitions.held_out + moved)


def read_shard(path: Path) -> Iterator[Example]:
    """The examples of one parquet file of the pipeline, each context cut to `CONTEXT_CHARS` by whole lines."""
    columns = list(Example.__dataclass_fields__)
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(1_000, columns=columns):
            for row in batch.to_pylist():
                row["prefix"] = last_lines(row["prefix"], CONTEXT_CHARS)
                row["suffix"] = first_lines(row["suffix"], CONTEXT_CHARS)
                row["licenses"] = tuple(row["licenses"])
                yield Example(**row)


def is_held_out(repository: str, share: float, seed: int) -> bool:
    """Whether a repository is held out from training; of all repositories, about this share is.

    It depends on the last part of the name alone, so that forks and releases of one project are treated alike.
    """
    digest = hashlib.blake2b(f"{seed}:{_project(repository)}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64


def batches(
    examples: Sequence[Example], tokenizer: FimTokenizer, settings: SequenceSettings, start: Position = Position()
) -> Iterator[tuple[Position, Batch]]:
    """Endless batches from a position on, each with its position; every pass has an order of its own."""
    epoch, chunk, first = start.epoch, start.chunk, start.batch
    while True:
        order = np.random.default_rng([settings.seed, epoch]).permutation(len(examples))
        while chunk * CHUNK < len(order):
            rows = [examples[number] for number in order[chunk * CHUNK : (chunk + 1) * CHUNK]]
            generator = np.random.default_rng([settings.seed, epoch, chunk])
            for number, batch in enumerate(_packed(rows, tokenizer, settings, generator)):
                if number >= first:
                    yield Position(epoch, chunk, number), batch
            chunk, first = chunk + 1, 0
        epoch, chunk = epoch + 1, 0


def seen_examples(examples: Sequence[Example], settings: SequenceSettings, position: Position) -> list[Example]:
    """The examples of the batches before a position, and all those of the chunk that the position is in."""
    if position.epoch:
        return list(examples)
    order = np.random.default_rng([settings.seed, 0]).permutation(len(examples))
    return [examples[number] for number in order[: (position.chunk + 1) * CHUNK]]


def rendered(
    example: Example,
    encoded: tuple[Sequence[int], Sequence[int], Sequence[int]],
    tokenizer: FimTokenizer,
    prompt: FimPrompt,
    context: int,
    longest: int,
) -> tuple[list[int], list[int]] | None:
    """Ids of the prompt, and of the middle with end-of-text, in a context of `context` tokens and in `longest` in all.

    `encoded` are the ids of prefix, suffix and middle. Where the lines at the cursor need more, the context is twice as
    long, and so on; None for an example that does not even fit into `longest`.
    """
    head, tail, middle = encoded
    room = longest - len(middle) - prompt.special_tokens
    fitted = fit_context_within(tokenizer, example.prefix, example.suffix, context, room, (head, tail))
    return None if fitted is None else (prompt.ids(*fitted), [*middle, tokenizer.end_of_text])


def _packed(
    rows: Sequence[Example], tokenizer: FimTokenizer, settings: SequenceSettings, generator: np.random.Generator
) -> Iterator[Batch]:
    prompts = [FimPrompt(tokenizer, layout) for layout in LAYOUTS]
    # Drawn for all rows, whether or not they fit, so that no row changes another.
    shortest, longest = np.log(settings.shortest_context), np.log(settings.longest_context)
    contexts = np.exp(generator.uniform(shortest, longest, len(rows))).astype(int).tolist()
    layouts = generator.integers(len(LAYOUTS), size=len(rows))
    # Text that such a context cannot hold is not encoded.
    rows = [
        replace(row, prefix=last_lines(row.prefix, 8 * context), suffix=first_lines(row.suffix, 8 * context))
        for row, context in zip(rows, contexts, strict=True)
    ]
    heads, tails, middles = (
        tokenizer.encode_batch([getattr(row, part) for row in rows]) for part in ("prefix", "suffix", "middle")
    )
    laters = tokenizer.encode_batch([line_too_many(row.row) or "" for row in rows])
    pending: list[_Sequence] = []
    tokens = 0
    for number, row in enumerate(rows):
        encoded = heads[number], tails[number], middles[number]
        found = rendered(row, encoded, tokenizer, prompts[layouts[number]], contexts[number], settings.longest)
        if found is None:
            continue
        sequence = _Sequence(*found, _continuation(middles[number], laters[number]))
        if pending and tokens + sequence.length > settings.batch_tokens:
            yield _batch(pending, tokenizer, settings)
            pending, tokens = [], 0
        pending.append(sequence)
        tokens += sequence.length
    if pending:
        yield _batch(pending, tokenizer, settings)


def _continuation(middle: list[int], later: list[int]) -> list[int]:
    """The ids of `later` after those of the middle; none where `later` does not begin with the same tokens."""
    return later[len(middle) :] if later[: len(middle)] == middle else []


def _batch(sequences: Sequence[_Sequence], tokenizer: FimTokenizer, settings: SequenceSettings) -> Batch:
    """All sequences in one batch. Of the line after a middle, it is only learned that the middle does not end there."""
    ids: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    no_ends: list[int] = []
    after_later: list[int] = []
    for sequence in sequences:
        middle = sequence.completion[:-1]
        no_ends += [len(ids) + len(sequence.prompt) - 1 + count for count in line_ends(tokenizer, middle)]
        ids += sequence.prompt + middle + sequence.later
        targets += sequence.prompt[1:] + sequence.completion + [tokenizer.end_of_text] * len(sequence.later)
        weights += [settings.context_weight] * (len(sequence.prompt) - 1)
        weights += [settings.middle_weight] * len(middle) + [settings.end_weight] + [0.0] * len(sequence.later)
        if sequence.later:
            after_later.append(len(ids) - 1)
    loss_weights = np.array(weights, dtype=np.float32)
    # A network cannot learn where the user's cursor is, or where a file was cut.
    sentinels = [number for number in tokenizer.sentinels.values() if number != tokenizer.end_of_text]
    loss_weights[np.isin(targets, sentinels)] = 0.0
    no_end_weights = np.zeros(len(ids), dtype=np.float32)
    no_end_weights[no_ends] = settings.line_end_weight
    no_end_weights[after_later] = settings.later_end_weight
    segments = [sequence.length for sequence in sequences]
    return Batch(
        np.array(ids, dtype=np.int64), np.array(targets, dtype=np.int64), loss_weights, no_end_weights, segments
    )


def _project(repository: str) -> str:
    return repository.rsplit("/", 1)[-1].lower()
