"""Rendered examples packed into sequences of one length, so that a trainer computes hardly any padding.

Packing is best fit, longest first, over a bounded buffer: when the buffer is full, the fuller half of its packs is
returned, and the examples of the other half wait for more. No example is cut. Positions begin at 0 in each example and in
the padding, and `seq_lengths` says where examples end, so that attention can be kept within one example. The first token of
an example is never learned, so no token is predicted from another example.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.model.packing import best_fit
from stackfim.schemas.rejection import EXAMPLE as EXAMPLE_UNIT
from stackfim.schemas.rejection import rejections
from stackfim.schemas.rendered import IGNORED, PACKED
from stackfim.transforms.render.batch import STAGE


@dataclass(frozen=True, slots=True)
class _Example:
    example_id: str
    ids: npt.NDArray[np.int32]
    mask: npt.NDArray[np.bool_]


class Packer:
    """Packs the examples of one shard, batch by batch: `add` them all, then `finish`.

    The result depends on the rows and their order, not on how they are divided into batches.
    """

    def __init__(self, length: int, pad_id: int, buffer_examples: int = 4_096) -> None:
        """A pack has `length` tokens and is filled up with `pad_id`; at most `buffer_examples` examples wait.

        Raises ValueError for a length or a buffer below 1.
        """
        for name, value in (("length", length), ("buffer_examples", buffer_examples)):
            if value < 1:
                raise ValueError(f"{name} is {value}, expected 1 or more")
        self.length = length
        self.pad_id = pad_id
        self.buffer_examples = buffer_examples
        self.padding_tokens = 0
        """Tokens of padding in the packs returned so far."""
        self.packed_tokens = 0
        """Tokens in the packs returned so far, padding included."""
        self._waiting: list[_Example] = []

    def add(self, rows: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """The packs (stackfim.schemas.rendered.PACKED) that these rendered rows with token ids complete, and rejections.

        Rows with more tokens than a pack are rejected (`over_pack_length`).
        """
        packs: list[list[_Example]] = []
        too_long: dict[int, str] = {}
        for row, example in enumerate(_examples(rows)):
            if len(example.ids) > self.length:
                too_long[row] = (
                    f"example {example.example_id}: {len(example.ids)} tokens, expected at most {self.length}"
                )
                continue
            self._waiting.append(example)
            if len(self._waiting) >= self.buffer_examples:
                found = self._best_fit()
                packs += found[: (len(found) + 1) // 2]
                self._waiting = [waiting for pack in found[(len(found) + 1) // 2 :] for waiting in pack]
        gone = rows.select(["repository", "path", "content_id"]).take(pa.array(list(too_long), pa.int64()))
        reasons = ["over_pack_length"] * len(too_long)
        return self._rows(packs), rejections(EXAMPLE_UNIT, STAGE, reasons, gone, list(too_long.values()))

    def finish(self) -> pa.RecordBatch:
        """The packs of all examples that are still waiting."""
        packs, self._waiting = self._best_fit(), []
        return self._rows(packs)

    def _best_fit(self) -> list[list[_Example]]:
        """The waiting examples in packs, the fullest first."""
        lengths = [len(example.ids) for example in self._waiting]
        packs = best_fit(lengths, self.length)
        packs.sort(key=lambda pack: -sum(lengths[index] for index in pack))
        return [[self._waiting[index] for index in pack] for pack in packs]

    def _rows(self, packs: Sequence[Sequence[_Example]]) -> pa.RecordBatch:
        ids = np.full((len(packs), self.length), self.pad_id, np.int32)
        mask = np.zeros((len(packs), self.length), bool)
        positions = np.zeros((len(packs), self.length), np.int32)
        for row, pack in enumerate(packs):
            end = 0
            for example in pack:
                begin, end = end, end + len(example.ids)
                ids[row, begin:end] = example.ids
                mask[row, begin:end] = example.mask
                positions[row, begin:end] = np.arange(end - begin)
            positions[row, end:] = np.arange(self.length - end)
            self.padding_tokens += self.length - end
            self.packed_tokens += self.length
        offsets = pa.array(np.arange(len(packs) + 1, dtype=np.int32) * self.length)
        labels = np.where(mask, ids, np.int32(IGNORED))
        tokens = {"input_ids": ids, "labels": labels, "completion_mask": mask, "position_ids": positions}
        columns = {
            name: pa.ListArray.from_arrays(offsets, pa.array(values.ravel()), type=PACKED.field(name).type)
            for name, values in tokens.items()
        }
        columns |= {
            "seq_lengths": pa.array([self._lengths(pack) for pack in packs], PACKED.field("seq_lengths").type),
            "example_ids": pa.array(
                [[example.example_id for example in pack] for pack in packs], PACKED.field("example_ids").type
            ),
        }
        return pa.RecordBatch.from_arrays([columns[name] for name in PACKED.names], schema=PACKED)

    def _lengths(self, pack: Sequence[_Example]) -> list[int]:
        """Tokens of each example and of the padding: trainers expect that they add up to the row's."""
        lengths = [len(example.ids) for example in pack]
        padding = self.length - sum(lengths)
        return [*lengths, padding] if padding else lengths


def _examples(rows: pa.RecordBatch) -> list[_Example]:
    ids, mask = rows.column("input_ids"), rows.column("completion_mask")
    values, flags = ids.flatten().to_numpy(), mask.flatten().to_numpy(zero_copy_only=False)
    ends = [0, *np.cumsum(ids.value_lengths().to_numpy()).tolist()]
    return [
        # Copies, so that a few waiting examples do not keep their whole batch in memory.
        _Example(example_id, values[begin:end].copy(), flags[begin:end].copy())
        for example_id, (begin, end) in zip(rows.column("example_id").to_pylist(), pairwise(ends), strict=True)
    ]
