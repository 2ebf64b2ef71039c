"""Settings and plans are checked when they are made: the message has the field, its value and what was expected."""

import dataclasses
import json
import math
import pickle
from typing import Any

import pytest

from stackfim.transforms.filters.contamination import index_benchmarks
from stackfim.transforms.filters.filter_list import STAGES
from stackfim.transforms.filters.filter_settings import FilterPlan, FilterSettings
from stackfim.transforms.filters.license import LicensePolicy


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("max_size_bytes", 0, "max_size_bytes is a whole number from 1, got 0"),
        ("max_size_bytes", "many", "max_size_bytes is a whole number from 1, got 'many'"),
        ("max_line_chars", -1, "max_line_chars is a whole number from 1, got -1"),
        ("max_mean_line_chars", math.nan, "max_mean_line_chars is a number, above 0, got nan"),
        ("max_long_line_share", 1.5, "max_long_line_share is a number, from 0 to 1, got 1.5"),
        ("min_alphanumeric_fraction", -0.1, "min_alphanumeric_fraction is a number, from 0 to 1, got -0.1"),
        ("switched_off", ("size", "spelling"), "switched_off: no such filter: 'spelling'; expected one of opt_out, "),
        ("license_policy", "most", "license_policy is one of all, any, got 'most'"),
        (
            "limits",
            {"Go": {"min_lines": 3}},
            "limits.Go.min_lines: no such limit (did you mean min_logic_lines?); expected one of ",
        ),
        (
            "limits",
            {"*": {"max_digit_share": 3}},
            "limits.*.max_digit_share is a number, from 0 to 1, got 3",
        ),
        ("limits", {"Go": {"min_chars": "few"}}, "limits.Go.min_chars is a number, 0 or more, got 'few'"),
        ("limits", {"Go": {"min_chars": -3}}, "limits.Go.min_chars is a number, 0 or more, got -3"),
        ("limits", {"Go": {"min_chars": math.nan}}, "limits.Go.min_chars is a number, 0 or more, got nan"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(field: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:
        FilterSettings(**{field: value})
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("secrets", "secrets is one of keep, redact, drop, got 'mask'"),
        ("personal_data", "personal_data is one of keep, redact, drop, got 'mask'"),
        ("comments_language", "comments_language is one of any, ar, bg, "),
    ],
)
def test_an_unknown_mode_or_language_of_a_plan_is_refused(field: str, message: str) -> None:
    values: dict[str, Any] = {field: "mask"}
    with pytest.raises(ValueError) as error:
        FilterPlan(**values)
    assert message in str(error.value)
    assert "'mask'" in str(error.value)


def test_every_stage_can_be_switched_off() -> None:
    assert FilterSettings(switched_off=STAGES).switched_off == STAGES


def test_ends_of_ranges_are_valid() -> None:
    limits = {"Python": {"max_comment_share": 1.0, "min_comment_share": 0, "min_logic_lines": 0}}
    settings = FilterSettings(1, 1, 0.5, 0.0, 1.0, limits=limits)
    assert FilterPlan(settings).limits(["Python", "Go"])[0].max_comment_share == 1.0


def test_settings_are_json_values() -> None:
    settings = FilterSettings(limits={"*": {"max_digit_share": 0.3}}, switched_off=("markup",))
    assert json.loads(json.dumps(dataclasses.asdict(settings)))["limits"] == {"*": {"max_digit_share": 0.3}}


def test_a_plan_travels_in_the_graph() -> None:
    plan = FilterPlan(FilterSettings(license_policy="any"), benchmarks=index_benchmarks(["a"], ["b " * 40]))
    copy = pickle.loads(pickle.dumps(plan))
    assert (copy.settings, copy.licenses) == (plan.settings, plan.licenses)
    assert copy.benchmarks.names == ("a",)


def test_the_policy_of_licenses_is_that_of_the_settings() -> None:
    settings = FilterSettings(license_policy="any", allow_unknown_licenses=True, allow_missing_licenses=True)
    allowed = frozenset({"mit"})
    assert FilterPlan(settings, allowed).licenses == LicensePolicy(
        allowed, "any", allow_unknown=True, allow_missing=True
    )


def test_limits_take_any_spelling_of_a_language_and_refuse_others() -> None:
    plan = FilterPlan(FilterSettings(limits={"python": {"min_chars": 7}, "XML": {}}))
    assert [limits.min_chars for limits in plan.limits(["Python", "Go"])] == [7, 0]
    with pytest.raises(ValueError, match=r"^limits\.Pyton: no such language \(did you mean Python\?\)"):
        FilterSettings(limits={"Pyton": {"min_chars": 7}})
