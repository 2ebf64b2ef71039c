"""Fixed bins: where values go, and what follows from counts alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.transforms.score.histogram import DIFFERENCE, NLL, PROBABILITY, auc, quantile

SCALES = {"nll": NLL, "probability": PROBABILITY, "difference": DIFFERENCE}
VALUES = {
    "nll": st.floats(1e-3, 50),
    "probability": st.floats(1e-6, 1 - 1e-6),
    "difference": st.floats(-4, 4),
}


@pytest.mark.parametrize("name", SCALES)
def test_the_middle_of_a_bin_is_in_it(name: str) -> None:
    scale = SCALES[name]
    for index in range(scale.bins):
        assert scale.index(np.array(scale.value(index + 0.5))) == index


@pytest.mark.parametrize(
    ("name", "values", "ends"),
    [
        ("nll", [0.0, 1e-9, 1e9], ["first", "first", "last"]),
        ("probability", [0.0, 1e-30, 1.0], ["first", "first", "last"]),
        ("difference", [-100.0, -6.0, 100.0], ["first", "first", "last"]),
    ],
)
def test_what_is_off_the_scale_is_in_the_bin_at_its_end(name: str, values: list[float], ends: list[str]) -> None:
    scale = SCALES[name]
    wanted = [{"first": 0, "last": scale.bins - 1}[end] for end in ends]
    assert scale.index(np.array(values)).tolist() == wanted


@pytest.mark.parametrize("name", SCALES)
@given(data=st.data())
def test_a_quantile_is_within_a_bin_of_the_sorted_values(name: str, data: st.DataObject) -> None:
    scale = SCALES[name]
    values = np.array(data.draw(st.lists(VALUES[name], min_size=1, max_size=60)))
    share = data.draw(st.floats(0, 1))
    found = scale.index(np.array(quantile(scale, scale.counts(values), share)))
    exact = scale.index(np.sort(values)[max(0, int(np.ceil(share * len(values))) - 1)])
    assert abs(int(found) - int(exact)) <= 1


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=30),
    st.lists(st.integers(0, 12), min_size=1, max_size=30),
)
def test_the_auc_is_the_share_of_pairs_in_order_ties_half(positives: list[int], negatives: list[int]) -> None:
    pairs = [(positive > negative) + (positive == negative) / 2 for positive in positives for negative in negatives]
    counts = [np.bincount(values, minlength=13) for values in (positives, negatives)]
    assert auc(*counts) == pytest.approx(sum(pairs) / len(pairs))


@given(st.lists(VALUES["nll"], max_size=40), st.integers(0, 40))
def test_counts_of_parts_add_up(values: list[float], cut: int) -> None:
    parts = [NLL.counts(np.array(part, float)) for part in (values[:cut], values[cut:])]
    assert (parts[0] + parts[1]).tolist() == NLL.counts(np.array(values, float)).tolist()


def test_without_values_there_is_no_quantile_and_no_auc() -> None:
    nothing = np.zeros(NLL.bins, int)
    with pytest.raises(ValueError, match="got none"):
        quantile(NLL, nothing, 0.5)
    with pytest.raises(ValueError, match="got none"):
        auc(nothing, nothing)
