"""The columns that rendering for one model family adds to an example, and the rows that packing makes of examples."""

import pyarrow as pa

from stackfim.schemas.column import column

_IDS = pa.list_(pa.field("element", pa.int32(), nullable=False))
_FLAGS = pa.list_(pa.field("element", pa.bool_(), nullable=False))
_TEXTS = pa.list_(pa.field("element", pa.string(), nullable=False))

RENDERED = (
    column("prompt", pa.string(), "What the model is given, in the format of one family."),
    column("completion", pa.string(), "What it is to write: the middle and the family's end of text."),
    column("layout", pa.string(), "Order of the prompt: `psm`, or `spm` with the suffix first."),
)
"""The columns of a rendered example that stackfim.schemas.example.EXAMPLE does not have."""

IGNORED = -100
"""The label of a token that is not learned, as PyTorch's cross entropy, transformers and TRL take it."""

_LABELS = f"The ids that are learned, those of the middle and the end of text; {IGNORED} in all other places."

TOKENIZED = (
    column("input_ids", _IDS, "Token ids of prompt and completion; text between two sentinels is encoded by itself."),
    column("labels", _IDS, _LABELS),
    column("completion_mask", _FLAGS, "Which tokens are learned: where `labels` has an id."),
)
"""The columns that an example has in addition if it is also rendered as token ids, by the names that trainers read."""

PACKED = pa.schema(
    [
        column("input_ids", _IDS, "Token ids of several examples, then padding; all rows have the same length."),
        column("labels", _IDS, _LABELS),
        column("completion_mask", _FLAGS, "Which tokens are learned: where `labels` has an id."),
        column("position_ids", _IDS, "Position of each token in its example, from 0; padding counts from 0 too."),
        column("seq_lengths", _IDS, "Tokens of each example, in order, then those of the padding if there is any."),
        column("example_ids", _TEXTS, "The examples, in order."),
    ]
)
"""A row of several examples, all rows of one length, by the names that trainers read."""
