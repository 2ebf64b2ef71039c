"""What the filters measured of a file: a row for every file that was read, kept or not."""

import pyarrow as pa

from stackfim.schemas.column import column


def _score(name: str, kind: pa.DataType, description: str) -> pa.Field:
    return column(name, kind, description, nullable=True)


FILTER_SCORE = pa.schema(
    [
        column("repository", pa.string(), "Repository of the file."),
        column("path", pa.string(), "Path of the file."),
        column("content_id", pa.string(), "Git blob SHA-1 of the bytes read, 40 hex digits."),
        column("language", pa.string(), "Programming language, as the filters take it."),
        _score("size_bytes", pa.int64(), "Size of the file."),
        _score("vendored_by", pa.string(), "Rule by which the file is another project's; empty for most."),
        _score("generated_by", pa.string(), "Rule by which the file is generated; empty for most."),
        _score("max_line_chars", pa.int64(), "Characters of the longest line."),
        _score("mean_line_chars", pa.float64(), "Characters of a line on average."),
        _score("long_line_share", pa.float64(), "Characters of lines over 1,000 characters, of all lines'."),
        _score("alphanumeric_fraction", pa.float64(), "Letters and digits, of the visible characters."),
        _score("xml_declaration", pa.bool_(), "Whether an XML declaration begins a file of another language."),
        _score("text_chars", pa.int64(), "Characters of visible text; markup alone."),
        _score("text_share", pa.float64(), "Visible text, of all characters; markup alone."),
        _score("chars", pa.int64(), "Characters; data files alone."),
        _score("letter_share", pa.float64(), "Letters, of the visible characters; data files alone."),
        _score("notebook_source_share", pa.float64(), "Bytes of source cells, of all bytes; notebooks alone."),
        _score("encoded_bytes", pa.int64(), "Bytes in runs of base64, hex and escapes of 64 bytes or more."),
        _score("encoded_share", pa.float64(), "The same, of all bytes."),
        _score("digit_share", pa.float64(), "ASCII digits, of the visible bytes; 0 below 512 bytes."),
        _score("number_line_share", pa.float64(), "Lines of number literals, of the visible bytes; 0 below 512 bytes."),
        _score("comment_share", pa.float64(), "Comment lines, of the visible bytes; languages with known comments."),
        _score("logic_lines", pa.int64(), "Lines that are no comment, import or punctuation; the same languages."),
        _score("duplicate_line_share", pa.float64(), "Lines whose words an earlier line has; 0 below 30 lines."),
        _score("top_ngram_share", pa.float64(), "Words that the most frequent 5-gram covers; 0 below 200 words."),
    ]
)
"""Scores are null where they do not apply, and in files that are not valid UTF-8."""
