"""Every quality score of a batch as one table, so that thresholds can be moved without another run."""

import pyarrow as pa

from transforms.filters.alphanumeric import alphanumeric_fraction
from transforms.filters.comments import comment_scores
from transforms.filters.data_files import data_scores
from transforms.filters.encoded import encoded_data
from transforms.filters.generated import generated_by, vendored_by
from transforms.filters.line_length import line_lengths
from transforms.filters.markup import markup_scores
from transforms.filters.number_tables import number_shares
from transforms.filters.repetition import repetition
from transforms.filters.size import size_bytes


def quality_scores(rows: pa.RecordBatch) -> pa.RecordBatch:
    """A row of scores for each row (schemas.source.ROW) of valid UTF-8, in order; -1 where a score does not apply.

    `generated_by` and `vendored_by` name a rule or are empty; the others are what the limits of transforms.filters.limits
    and transforms.filters.chain are compared with.
    """
    content, languages = rows.column("content"), rows.column("language").to_pylist()
    lengths, encoded, numbers = line_lengths(content), encoded_data(content), number_shares(content)
    comments, repeated = comment_scores(content, languages), repetition(content)
    markup, data = markup_scores(content, languages), data_scores(content, languages)
    return pa.RecordBatch.from_pydict(
        {
            "content_id": rows.column("content_id"),
            "generated_by": generated_by(rows),
            "vendored_by": vendored_by(rows),
            "size_bytes": size_bytes(content),
            "max_line_chars": lengths.longest,
            "mean_line_chars": lengths.mean,
            "alphanumeric_fraction": alphanumeric_fraction(content),
            "encoded_bytes": encoded.size_bytes,
            "encoded_share": encoded.share,
            "digit_share": numbers.digits,
            "number_line_share": numbers.number_lines,
            "comment_share": comments.share,
            "logic_lines": comments.logic_lines,
            "duplicate_line_share": repeated.duplicate_lines,
            "top_ngram_share": repeated.top_ngram,
            "xml_declaration": markup.xml,
            "text_chars": markup.text_chars,
            "text_share": markup.text_share,
            "chars": data.chars,
            "letter_share": data.letter_share,
            "notebook_source_share": data.notebook_source_share,
        }
    )
