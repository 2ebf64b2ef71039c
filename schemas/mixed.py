"""A row of a mixture: a rendered fill-in-the-middle example or a rendered conversation, as a trainer reads both."""

import pyarrow as pa

from stackfim.schemas.column import column

FIM = "fim"
CHAT = "chat"

SYSTEM = "system"
USER = "user"
ASSISTANT = "assistant"

_TURN = pa.field("role", pa.string(), nullable=False), pa.field("content", pa.string(), nullable=False)

MIXED = pa.schema(
    [
        column("source", pa.string(), "`fim` or `chat`."),
        column("example_id", pa.string(), "Id of the example; of a conversation 16 hex digits of a hash of its texts."),
        column("prompt", pa.string(), "What the model is given."),
        column("completion", pa.string(), "What it is to write, end of text included."),
        column("tokens", pa.int32(), "Tokens of prompt and completion: what the shares are counted in."),
        column("language", pa.string(), "Programming language; empty where a conversation names none."),
        column("repository", pa.string(), "Repository of the example, or the data set of the conversation."),
        column(
            "licenses",
            pa.list_(pa.field("element", pa.string(), nullable=False)),
            "Licenses of the repository, or of the conversation.",
        ),
    ]
)

CONVERSATION = pa.schema(
    [
        column(
            "before",
            pa.list_(pa.field("element", pa.struct(_TURN), nullable=False)),
            "The turns before it, in order: `role` (`system`, `user`, `assistant`) and `content`.",
        ),
        column("instruction", pa.string(), "What is asked for, in words."),
        column("code", pa.string(), "The code that it is about; empty where the instruction says all."),
        column("response", pa.string(), "The answer."),
        column("language", pa.string(), "Programming language, as the source names it; empty where it does not."),
        column("license", pa.string(), "License of the row; empty where the source names none."),
        column("repository", pa.string(), "The data set."),
        column("path", pa.string(), "Number of the row in it."),
        column(
            "content_id", pa.string(), "Git blob SHA-1 of the turns, instruction, code and response, 40 hex digits."
        ),
    ]
)
"""An instruction and its answer, from a data set of commits, of prompts and responses, or of conversations."""
