"""Examples rendered in batches: each row gets a prompt and a completion, and token ids if asked for, or it is rejected.

The reasons of rejections: the example holds a sentinel (`sentinel_collision`), the budget does not even hold the middle
and the lines at the cursor (`over_budget`), a path or repository has a line break (`unprintable_header`), or the tokenizer
would change a text (`tokenizer_changes_text`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stackfim.schemas.layout import LAYOUTS, PSM, SPM
from stackfim.schemas.rejection import EXAMPLE as EXAMPLE_UNIT
from stackfim.schemas.rejection import rejections
from stackfim.schemas.rendered import IGNORED, RENDERED, TOKENIZED
from stackfim.transforms.render.budget import Characters, fit, lines_at_cursor
from stackfim.transforms.render.collision import NONE, collisions
from stackfim.transforms.render.render_settings import RenderSettings
from stackfim.transforms.render.template import (
    HEADER_PARTS,
    MIDDLE,
    PREFIX,
    SUFFIX,
    Kind,
    Segment,
    fill,
    runs,
    segments,
)
from stackfim.transforms.render.token_side import TokenSide
from stackfim.transforms.render.tokens import TextEncoder

STAGE = "render"


class Renderer:
    """Renders batches with the same settings; the lines that it has encoded for one batch serve the next."""

    def __init__(self, settings: RenderSettings) -> None:
        """Raises model.tokenizer.TokenizerError for a tokenizer that loses text or lacks a sentinel of the family."""
        self.settings = settings
        self._encoder = TextEncoder(settings.tokenizer_json) if settings.tokenizer_json else None
        self._completion = segments(settings.family_strings.completion)
        shares = {PSM: 1 - settings.share, SPM: settings.share}
        self._prompts = {layout: segments(settings.prompt(layout)) for layout in LAYOUTS if shares[layout] > 0}
        if self._encoder is not None:
            begin = [
                _Step(ids=np.int32(self._encoder.sentinel(text)).tobytes())
                for text in self._encoder.begin_tokens(settings.family_strings.begin)
            ]
            self._steps = {layout: [*begin, *_steps(prompt, self._encoder)] for layout, prompt in self._prompts.items()}
            self._last_steps = _steps(self._completion, self._encoder)
        self._control_tokens = self._encoder.control_tokens if self._encoder is not None else NONE

    def end_of_text_id(self) -> int:
        """The id of the family's end-of-text, with which packs are filled up. Raises ValueError without a tokenizer."""
        if self._encoder is None:
            raise ValueError("end-of-text has an id only with a tokenizer, got none")
        return self._encoder.sentinel(self.settings.family_strings.end_of_text)

    def render(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """The rows (stackfim.schemas.example.EXAMPLE) with the columns of `RENDERED`, and of `TOKENIZED` if asked for.

        Columns of these names are replaced. The second batch has a rejection (stackfim.schemas.rejection.REJECTION) for each
        row that is not in the first. Both keep the order of rows.
        """
        names = (PREFIX, MIDDLE, SUFFIX, *(HEADER_PARTS if self.settings.header else ()))
        held = collisions(batch, self.settings.family, self.settings.header, self._control_tokens)
        columns = {name: batch.column(name).to_pylist() for name in names}
        kept: list[int] = []
        rendered: list[_Rendered] = []
        dropped: dict[int, tuple[str, str]] = {}
        for row, example_id in enumerate(batch.column("example_id").to_pylist()):
            parts = {name: texts[row] for name, texts in columns.items()}
            refusal = ("sentinel_collision", held[row]) if row in held else self._refusal(parts)
            made = None if refusal else self._row(parts, self.settings.layout(example_id))
            if made is None:
                reason, detail = refusal or ("over_budget", self._shortfall(parts, self.settings.layout(example_id)))
                dropped[row] = (reason, f"example {example_id}: {detail}")
            else:
                kept.append(row)
                rendered.append(made)
        gone = batch.select(["repository", "path", "content_id"]).take(pa.array(list(dropped), pa.int64()))
        reasons, details = [reason for reason, _ in dropped.values()], [detail for _, detail in dropped.values()]
        rows = batch.take(pa.array(kept, pa.int64())) if dropped else batch
        return self._with_columns(rows, rendered), rejections(EXAMPLE_UNIT, STAGE, reasons, gone, details)

    def _refusal(self, parts: Mapping[str, str]) -> tuple[str, str] | None:
        for name in HEADER_PARTS:
            if "\n" in parts.get(name, ""):
                return "unprintable_header", f"the {name} has a line break, expected one line"
        if self._encoder is not None:
            for name, text in parts.items():
                if self._encoder.changes(text):
                    return "tokenizer_changes_text", f"the {name} is another text after encoding and decoding"
        return None

    def _row(self, parts: dict[str, str], layout: str) -> "_Rendered | None":
        """A rendered row, None where it does not fit."""
        prompt = self._prompts[layout]
        if self.settings.max_tokens is not None or self.settings.max_chars is not None:
            cut = self._cut(parts, layout)
            if cut is None:
                return None
            parts = {**parts, PREFIX: cut[0], SUFFIX: cut[1]}
        made = _Rendered(fill(prompt, parts), fill(self._completion, parts), layout)
        if self.settings.tokenize:
            assert self._encoder is not None
            made.prompt_ids = _encode(self._steps[layout], parts, self._encoder)
            made.completion_ids = _encode(self._last_steps, parts, self._encoder)
        return made

    def _cut(self, parts: Mapping[str, str], layout: str) -> tuple[str, str] | None:
        if self.settings.max_chars is not None:
            room = self.settings.max_chars - self._fixed_chars(parts, layout)
            return fit(Characters(parts[PREFIX]), Characters(parts[SUFFIX]), room)
        room = (self.settings.max_tokens or 0) - self._fixed_tokens(parts, layout)
        return fit(self._side(PREFIX, parts, layout), self._side(SUFFIX, parts, layout), room)

    def _fixed_chars(self, parts: Mapping[str, str], layout: str) -> int:
        """Characters of everything but prefix and suffix."""
        return len(fill((*self._prompts[layout], *self._completion), {**parts, PREFIX: "", SUFFIX: ""}))

    def _fixed_tokens(self, parts: Mapping[str, str], layout: str) -> int:
        """Tokens of everything but prefix and suffix."""
        assert self._encoder is not None
        steps = [*self._steps[layout], *self._last_steps]
        ids = _encode(steps, {**parts, PREFIX: "", SUFFIX: ""}, self._encoder)
        return self._seam(parts, layout) + len(ids) // 4

    def _side(self, name: str, parts: Mapping[str, str], layout: str) -> TokenSide:
        """Prefix or suffix, measured by what it adds to the fixed text that is encoded together with it."""
        assert self._encoder is not None
        encoder = self._encoder
        run = next(step.run for step in self._steps[layout] if Segment(Kind.PART, name) in step.run)
        fixed = encoder.total(fill(run, {**parts, name: ""}))

        def size(text: str) -> int:
            return encoder.total(fill(run, {**parts, name: text})) - fixed

        return TokenSide(parts[name], encoder, size, is_prefix=name == PREFIX)

    def _seam(self, parts: Mapping[str, str], layout: str) -> int:
        """How many tokens more prefix and middle have when they are encoded as one, as by trainers that read strings."""
        assert self._encoder is not None
        last = self._prompts[layout][-1]
        if last != Segment(Kind.PART, PREFIX) or not parts[MIDDLE]:
            return 0
        prefix, total = parts[PREFIX], self._encoder.total
        # Blank lines before the cursor may be encoded differently when the middle follows them.
        visible = prefix.rfind("\n", 0, len(prefix.rstrip())) + 1
        before = (lines_at_cursor(prefix, "")[0], prefix[visible:], prefix[len(prefix.rstrip()) :])
        return max(0, *(total(text + parts[MIDDLE]) - total(text) - total(parts[MIDDLE]) for text in before))

    def _shortfall(self, parts: Mapping[str, str], layout: str) -> str:
        head, tail = lines_at_cursor(parts[PREFIX], parts[SUFFIX])
        if self.settings.max_chars is not None:
            limit, unit = self.settings.max_chars, "characters"
            needed = self._fixed_chars(parts, layout) + len(head + tail)
        else:
            limit, unit = self.settings.max_tokens or 0, "tokens"
            sides = ((PREFIX, head), (SUFFIX, tail))
            needed = self._fixed_tokens(parts, layout)
            needed += sum(self._side(name, parts, layout).size(text) for name, text in sides)
        return f"the middle and the lines at the cursor have {needed} {unit}, expected at most {limit}"

    def _with_columns(self, rows: pa.RecordBatch, rendered: "list[_Rendered]") -> pa.RecordBatch:
        added = dict.fromkeys(field.name for field in (*RENDERED, *TOKENIZED))
        kept = [field for field in rows.schema if field.name not in added]
        fields = [*kept, *RENDERED]
        arrays = [rows.column(field.name) for field in kept]
        arrays += [
            pa.array([row.prompt for row in rendered], pa.string()),
            pa.array([row.completion for row in rendered], pa.string()),
            pa.array([row.layout for row in rendered], pa.string()),
        ]
        if self.settings.tokenize:
            fields += TOKENIZED
            arrays += _id_columns(rendered)
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields, rows.schema.metadata))


@dataclass(slots=True)
class _Rendered:
    prompt: str
    completion: str
    layout: str
    prompt_ids: bytes = b""
    completion_ids: bytes = b""


@dataclass(frozen=True, slots=True)
class _Step:
    """Ids that are the same in each row, or a run of text between two sentinels, which is encoded as one."""

    ids: bytes = b""
    run: tuple[Segment, ...] = ()


_BLANK = Segment(Kind.LITERAL, " ")


def _steps(format_: tuple[Segment, ...], encoder: TextEncoder) -> list[_Step]:
    """A format as ids and runs of text."""
    steps: list[_Step] = []
    for run in runs(format_):
        if run[0].kind is Kind.SENTINEL:
            steps.append(_Step(ids=np.int32(encoder.sentinel(run[0].text)).tobytes()))
        # Sentencepiece puts a blank before the prefix and before nothing else: meta-llama/codellama and
        # mistralai/mistral-common encode all other parts without one.
        elif run[0] == Segment(Kind.PART, PREFIX) and encoder.dummy_prefix:
            steps.append(_Step(run=(_BLANK, *run)))
        else:
            steps.append(_Step(run=run))
    return steps


def _encode(steps: list[_Step], parts: Mapping[str, str], encoder: TextEncoder) -> bytes:
    return b"".join(encoder.encode(fill(step.run, parts)) if step.run else step.ids for step in steps)


def _id_columns(rendered: list[_Rendered]) -> list[pa.Array]:
    """The columns of `TOKENIZED`."""
    prompts = np.array([len(row.prompt_ids) // 4 for row in rendered], np.int64)
    completions = np.array([len(row.completion_ids) // 4 for row in rendered], np.int64)
    offsets = np.concatenate([[0], np.cumsum(prompts + completions)]).astype(np.int32)
    ids = np.frombuffer(b"".join(row.prompt_ids + row.completion_ids for row in rendered), np.int32)
    pairs = np.stack([prompts, completions], axis=1).ravel()
    mask = np.repeat(np.tile([False, True], len(rendered)), pairs)
    labels = np.where(mask, ids, np.int32(IGNORED))
    return [
        pa.ListArray.from_arrays(pa.array(offsets), pa.array(values), type=field.type)
        for values, field in zip((ids, labels, mask), TOKENIZED, strict=True)
    ]
