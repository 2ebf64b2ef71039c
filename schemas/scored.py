"""The columns that scoring adds to an example."""

import pyarrow as pa

from stackfim.schemas.column import column
from stackfim.schemas.example import EXAMPLE

SCORE = pa.struct(
    [
        column("nll", pa.float32(), "Mean negative log likelihood, in nats, of the middle's tokens and end-of-text."),
        column("nll_sum", pa.float32(), "Its sum over these `tokens` + 1."),
        column("p_eot_end", pa.float32(), "Probability of end-of-text at the middle's end."),
        column("p_eot_start", pa.float32(), "Probability of end-of-text before the middle's first token."),
        column(
            "p_eot_early",
            pa.float32(),
            "Highest probability of end-of-text at a line end inside the middle; null where it has none.",
            nullable=True,
        ),
        column("greedy_match", pa.bool_(), "Whether greedy decoding gives the middle exactly and stops."),
    ]
)

SCORES = (
    column("tokens", pa.int32(), "Tokens of the middle, without end-of-text."),
    column("score_psm", SCORE, "Scores with the prefix first; null where not asked for or not scored.", nullable=True),
    column("score_spm", SCORE, "Scores with the suffix first; null where not asked for or not scored.", nullable=True),
    column(
        "verdict",
        pa.string(),
        "`accept`, a reason to doubt the row such as `unlikely`, or `unscored:` and why there is no score.",
    ),
)
"""The columns of a scored example that stackfim.schemas.example.EXAMPLE does not have."""

_RUN = ("seed", "version")

SCORED = pa.schema(
    [
        *(field for field in EXAMPLE if field.name not in _RUN),
        *SCORES,
        *(field for field in EXAMPLE if field.name in _RUN),
    ]
)


def score_column(layout: str) -> str:
    """The name of the column with the scores of a layout."""
    return f"score_{layout}"


def is_scored(names: list[str]) -> bool:
    """Whether `names` include all columns of scored examples."""
    return set(SCORED.names) <= set(names)
