"""A batch of examples rendered: a prompt and a completion a row, token ids where asked for, a rejection for each other.

What is dropped: examples that hold a sentinel (`sentinel_collision`), those of which not even the middle and the lines at
the cursor fit into the budget (`over_budget`), those whose path or repository is no line of text (`unprintable_header`),
and those that the tokenizer would change (`tokenizer_changes_text`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from stackfim.schemas.rejection import EXAMPLE as EXAMPLE_UNIT
from stackfim.schemas.rejection import rejections
from stackfim.schemas.rendered import RENDERED, TOKENIZED
from stackfim.transforms.render.budget import Characters, fit, lines_at_cursor
from stackfim.transforms.render.collision import collisions
from stackfim.transforms.render.families import LAYOUTS
from stackfim.transforms.render.render_settings import RenderSettings
from stackfim.transforms.render.template import HEADER_PARTS, MIDDLE, PREFIX, SUFFIX, Kind, Segment, fill, segments
from stackfim.transforms.render.tokens import TextEncoder

STAGE = "render"


def render_examples(batch: pa.RecordBatch, settings: RenderSettings) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """The rows of `batch` (stackfim.schemas.example.EXAMPLE) with the columns `RENDERED`, and `TOKENIZED` where asked for, added.

    Columns of these names are replaced. The second batch has a rejection (stackfim.schemas.rejection.REJECTION) for each row that
    is not in the first. Both keep the order of rows. Raises model.tokenizer.TokenizerError for a tokenizer that loses
    text or lacks a sentinel of the family.
    """
    return _renderer(settings).render(batch)


@lru_cache(maxsize=4)
def _renderer(settings: RenderSettings) -> "Renderer":
    # Making one reads the tokenizer, and the ids of lines that one batch knows serve the next.
    return Renderer(settings)


class Renderer:
    """Renders batches with the same settings; see `render_examples`."""

    def __init__(self, settings: RenderSettings) -> None:
        self.settings = settings
        self._encoder = TextEncoder(settings.tokenizer_json) if settings.tokenizer_json else None
        self._completion = segments(settings.family_strings.completion)
        shares = {"psm": 1 - settings.share, "spm": settings.share}
        self._prompts = {layout: segments(settings.prompt(layout)) for layout in LAYOUTS if shares[layout] > 0}
        if self._encoder is not None:
            self._steps = {layout: _steps(prompt, self._encoder) for layout, prompt in self._prompts.items()}
            self._last_steps = _steps(self._completion, self._encoder)

    def end_of_text_id(self) -> int:
        """Id of the family's end of text, which packs are filled up with. Raises ValueError without a tokenizer."""
        if self._encoder is None:
            raise ValueError("the end of text has an id with a tokenizer only, got none")
        return self._encoder.sentinel(self.settings.family_strings.end_of_text)

    def render(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """See `render_examples`."""
        names = (PREFIX, MIDDLE, SUFFIX, *(HEADER_PARTS if self.settings.header else ()))
        held = collisions(batch, self.settings.family, self.settings.header)
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
        """A row rendered; None where it does not fit."""
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
        prefix, suffix = parts[PREFIX], parts[SUFFIX]
        if self.settings.max_chars is not None:
            return fit(prefix, suffix, self.settings.max_chars - self._fixed_chars(parts, layout), Characters())
        assert self._encoder is not None
        room = (self.settings.max_tokens or 0) - self._fixed_tokens(parts, layout)
        return fit(prefix, suffix, room, self._encoder, lambda head, tail: self._cut_tokens(parts, layout, head, tail))

    def _fixed_chars(self, parts: Mapping[str, str], layout: str) -> int:
        return len(fill((*self._prompts[layout], *self._completion), {**parts, PREFIX: "", SUFFIX: ""}))

    def _fixed_tokens(self, parts: Mapping[str, str], layout: str) -> int:
        """Tokens of all that is not encoded together with prefix or suffix."""
        steps = (*self._steps[layout], *self._last_steps)
        return self._seam(parts, layout) + sum(self._tokens(step, parts) for step in steps if not step.is_cut)

    def _cut_tokens(self, parts: Mapping[str, str], layout: str, head: str, tail: str) -> int:
        """Tokens of the rest, once prefix and suffix are cut to `head` and `tail`."""
        parts = {**parts, PREFIX: head, SUFFIX: tail}
        return sum(self._tokens(step, parts) for step in self._steps[layout] if step.is_cut)

    def _tokens(self, step: "_Step", parts: Mapping[str, str]) -> int:
        assert self._encoder is not None
        return self._encoder.total(fill(step.run, parts)) if step.run else len(step.ids) // 4

    def _seam(self, parts: Mapping[str, str], layout: str) -> int:
        """Tokens by which prefix and middle have more when they are encoded as one, as trainers do that read strings."""
        assert self._encoder is not None
        last = self._prompts[layout][-1]
        if last != Segment(Kind.PART, PREFIX) or not parts[MIDDLE]:
            return 0
        prefix, total = parts[PREFIX], self._encoder.total
        # Blank lines before the cursor may be encoded otherwise in front of the middle.
        visible = prefix.rfind("\n", 0, len(prefix.rstrip())) + 1
        before = (lines_at_cursor(prefix, "")[0], prefix[visible:], prefix[len(prefix.rstrip()) :])
        return max(0, *(total(text + parts[MIDDLE]) - total(text) - total(parts[MIDDLE]) for text in before))

    def _shortfall(self, parts: Mapping[str, str], layout: str) -> str:
        head, tail = lines_at_cursor(parts[PREFIX], parts[SUFFIX])
        if self.settings.max_chars is not None:
            needed, limit, unit = (
                self._fixed_chars(parts, layout) + len(head + tail),
                self.settings.max_chars,
                "characters",
            )
        else:
            needed = self._fixed_tokens(parts, layout) + self._cut_tokens(parts, layout, head, tail)
            limit, unit = self.settings.max_tokens or 0, "tokens"
        return f"the middle and the lines at the cursor make {needed} {unit}, expected at most {limit}"

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

    @property
    def is_cut(self) -> bool:
        """Whether prefix or suffix is in the run."""
        return any(segment in _CUT for segment in self.run)


_CUT = (Segment(Kind.PART, PREFIX), Segment(Kind.PART, SUFFIX))
_BLANK = Segment(Kind.LITERAL, " ")


def _steps(format_: tuple[Segment, ...], encoder: TextEncoder) -> list[_Step]:
    """A format as ids and runs of text."""
    steps: list[_Step] = []
    run: list[Segment] = []
    for segment in format_:
        if segment.kind is not Kind.SENTINEL:
            # Sentencepiece puts a blank in front of the prefix, and of nothing else: meta-llama/codellama and
            # mistralai/mistral-common encode all other parts without.
            if segment == _CUT[0] and not run and encoder.dummy_prefix:
                run.append(_BLANK)
            run.append(segment)
            continue
        if run and run[-1] == _BLANK and encoder.holds_blank(segment.text):
            run.pop()
        if run:
            steps.append(_Step(run=tuple(run)))
            run = []
        steps.append(_Step(ids=np.int32(encoder.sentinel(segment.text)).tobytes()))
    return [*steps, _Step(run=tuple(run))] if run else steps


def _encode(steps: list[_Step], parts: Mapping[str, str], encoder: TextEncoder) -> bytes:
    return b"".join(encoder.encode(fill(step.run, parts)) if step.run else step.ids for step in steps)


def _id_columns(rendered: list[_Rendered]) -> list[pa.Array]:
    """`input_ids` and `loss_mask`."""
    prompts = np.array([len(row.prompt_ids) // 4 for row in rendered], np.int64)
    completions = np.array([len(row.completion_ids) // 4 for row in rendered], np.int64)
    offsets = np.concatenate([[0], np.cumsum(prompts + completions)]).astype(np.int32)
    ids = np.frombuffer(b"".join(row.prompt_ids + row.completion_ids for row in rendered), np.int32)
    pairs = np.stack([prompts, completions], axis=1).ravel()
    mask = np.repeat(np.tile([False, True], len(rendered)), pairs)
    return [
        pa.ListArray.from_arrays(pa.array(offsets), pa.array(values), type=type_)
        for values, type_ in ((ids, TOKENIZED[0].type), (mask, TOKENIZED[1].type))
    ]
