"""A file that takes a filter too long is rejected, and the other files of its batch are judged as ever."""

import time
from collections.abc import Callable

import pyarrow as pa
import pytest

from stackfim.transforms.filters import filter as filters
from stackfim.transforms.filters.cpu_budget import OverBudgetError, check_budget, cpu_budget
from stackfim.transforms.filters.filter import Filter, judge
from stackfim.transforms.filters.filter_settings import FilterPlan


def endless_on_slow(rows: pa.RecordBatch, plan: FilterPlan) -> list[bool]:
    for content in rows.column("content").to_pylist():
        while content == b"slow":
            check_budget()
    return [content == b"bad" for content in rows.column("content").to_pylist()]


ENDLESS: Filter[list[bool]] = Filter(
    stage="endless",
    measure=endless_on_slow,
    decide=lambda measured, languages, plan: {row: ("bad", "") for row, bad in enumerate(measured) if bad},
)


def test_a_file_over_the_budget_is_rejected_and_takes_no_other_along(
    rows_of: Callable[..., pa.RecordBatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "FILE_CPU_S", 0.05)
    rows = rows_of([("Python", b"good"), ("Python", b"slow"), ("Python", b"bad"), ("Python", b"slow")])
    timeout = ("filter_timeout", "over 0.05 s of processor time for one file")
    assert judge(ENDLESS, rows, FilterPlan()).drops == {1: timeout, 2: ("bad", ""), 3: timeout}


def use_up() -> None:
    while True:
        check_budget()


def test_the_budget_counts_processor_time_and_ends_with_its_block() -> None:
    with cpu_budget(0.02):
        time.sleep(0.1)
        check_budget()
        with pytest.raises(OverBudgetError):
            use_up()
    check_budget()
