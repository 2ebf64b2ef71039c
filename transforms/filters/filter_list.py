"""All filters, in the order that they run: cheap ones first, those that read text after the encoding is known to be good.

A new filter is a module with its record and a line here: the chain, explanations, score files and the names by which the
settings switch filters off follow from the list.
"""

from typing import Any

from stackfim.schemas.filter_score import filter_score_schema
from stackfim.transforms.filters.actual_language import FILE_LANGUAGE
from stackfim.transforms.filters.alphanumeric import ALPHANUMERIC
from stackfim.transforms.filters.comment_language import COMMENTS_LANGUAGE
from stackfim.transforms.filters.comments import COMMENTS
from stackfim.transforms.filters.contamination import CONTAMINATION
from stackfim.transforms.filters.data_files import DATA_FILE
from stackfim.transforms.filters.encoded import ENCODED_DATA
from stackfim.transforms.filters.encoding import ENCODING
from stackfim.transforms.filters.filter import Filter
from stackfim.transforms.filters.generated import GENERATED
from stackfim.transforms.filters.language import LANGUAGE
from stackfim.transforms.filters.license import LICENSE
from stackfim.transforms.filters.license_header import LICENSE_HEADER
from stackfim.transforms.filters.line_length import LINE_LENGTH
from stackfim.transforms.filters.markup import MARKUP
from stackfim.transforms.filters.number_tables import NUMBERS
from stackfim.transforms.filters.opt_out import OPT_OUT
from stackfim.transforms.filters.personal_data import PERSONAL_DATA
from stackfim.transforms.filters.repetition import REPETITION
from stackfim.transforms.filters.secrets import SECRETS
from stackfim.transforms.filters.size import SIZE
from stackfim.transforms.filters.vendored import VENDORED

BYTE_FILTERS: tuple[Filter[Any], ...] = (OPT_OUT, LICENSE, FILE_LANGUAGE, LANGUAGE, SIZE, ENCODING)
"""Filters that take any bytes; the last one tells which are text."""
TEXT_FILTERS: tuple[Filter[Any], ...] = (
    LICENSE_HEADER,
    VENDORED,
    GENERATED,
    LINE_LENGTH,
    ALPHANUMERIC,
    MARKUP,
    DATA_FILE,
    ENCODED_DATA,
    NUMBERS,
    COMMENTS,
    COMMENTS_LANGUAGE,
    REPETITION,
    SECRETS,
    PERSONAL_DATA,
    CONTAMINATION,
)
"""Filters of valid UTF-8; other files have none of their scores."""
FILTERS = (*BYTE_FILTERS, *TEXT_FILTERS)
STAGES = tuple(filter_.stage for filter_ in FILTERS)
FILTER_SCORE = filter_score_schema(column for filter_ in FILTERS for column in filter_.columns)
"""Columns of score files."""
