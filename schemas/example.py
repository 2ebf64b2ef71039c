"""A fill-in-the-middle example: the row of a canonical shard, without any sentinel."""

import pyarrow as pa

from stackfim.schemas.column import column

EMPTY = "empty"
SINGLE_LINE = "single_line"
MULTI_LINE = "multi_line"
RANDOM_SPAN = "random_span"
CATEGORIES = (EMPTY, SINGLE_LINE, MULTI_LINE, RANDOM_SPAN)

EDIT = pa.struct(
    [
        column("side", pa.string(), "`prefix` or `suffix`: the text that was edited."),
        column("kind", pa.string(), "The edit operation, such as `later_siblings`."),
        column("offset", pa.int64(), "Byte of that side, as it stands after this edit, where the edit is."),
        column("removed", pa.string(), "The text that the edit took away; undoing puts it back."),
        column("inserted", pa.string(), "The text that the edit put in; undoing takes it away."),
    ]
)

EXAMPLE = pa.schema(
    [
        column(
            "example_id",
            pa.string(),
            "16 hex digits of a hash of content id, offsets, kind and edits; unique in a data set.",
        ),
        column("group_id", pa.string(), "Examples made from one site share it and stay together; else the example id."),
        column("category", pa.string(), "`empty`, `single_line`, `multi_line` or `random_span`."),
        column(
            "kind",
            pa.string(),
            "What the cursor's place and the middle are, such as `after_statement` or `block_body`.",
        ),
        column(
            "stop_reason",
            pa.string(),
            "Multi-line only: `eof`, `dedent` or `newline`, a true description of the end.",
            nullable=True,
        ),
        column("prefix", pa.string(), "Text left of the cursor."),
        column("middle", pa.string(), "What the model is to write; empty when silence is right."),
        column("suffix", pa.string(), "Text right of the cursor."),
        column("language", pa.string(), "Programming language, by The Stack's name."),
        column("repository", pa.string(), "Repository of the file."),
        column("path", pa.string(), "Path of the file in its repository."),
        column("revision", pa.string(), "Head commit or package version; empty where the source gave none."),
        column(
            "licenses",
            pa.list_(pa.field("element", pa.string(), nullable=False)),
            "Licenses of the repository, SPDX identifiers.",
        ),
        column("source_id", pa.string(), "Git blob SHA-1 of the bytes read, 40 hex digits (The Stack's `hexsha`)."),
        column(
            "content_id",
            pa.string(),
            "Git blob SHA-1 of the text that was split; differs from source_id when text was redacted.",
        ),
        column("start_byte", pa.int64(), "First byte of the middle in the content."),
        column("end_byte", pa.int64(), "Byte after the middle in the content."),
        column(
            "context_start_byte",
            pa.int64(),
            "First byte of the content that prefix, middle and suffix cover once edits are undone.",
        ),
        column("context_end_byte", pa.int64(), "Byte after that slice; it covers whole lines."),
        column(
            "edits",
            pa.list_(pa.field("element", EDIT, nullable=False)),
            "What was done to prefix and suffix, in order; undone last to first.",
        ),
        column(
            "half_written",
            pa.bool_(),
            "Whether the context was made unfinished by edits; an `after_enter` edit alone does not.",
        ),
        column("irreparable", pa.bool_(), "Whether no single insertion at the cursor gives the original back."),
        column(
            "open_ended", pa.bool_(), "Edits left text out, and it is not irreparable: there is simply more to write."
        ),
        column(
            "bracket_delta", pa.int32(), "Brackets that the middle opens less those that it closes, by the syntax tree."
        ),
        column(
            "newline_owner",
            pa.string(),
            "Who holds the line break after the middle's last line: `suffix`, `middle`, or `none` where the line goes on.",
        ),
        column("node_type", pa.string(), "Syntax node type that the site belongs to."),
        column("scope", pa.string(), "Names of the enclosing definitions, outermost first, dotted."),
        column("lines", pa.int32(), "Lines of the middle that have a visible character."),
        column("chars", pa.int32(), "Length of the middle in characters (code points)."),
        column("seed", pa.int64(), "Seed of the run."),
        column("version", pa.string(), "Version of stackfim that made the row."),
    ]
)
