"""Files with a shared extension in another language than their row says are recognised by their syntax errors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.transforms.languages.shared_extensions import SHARED
from stackfim.transforms.split.error_share import check_language, error_share
from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.parser import BudgetedParser, ParseRefused
from stackfim.transforms.split.split_settings import SplitSettings
from tests.fixture_types import RowsOf

C = b"static int twice(int value)\n{\n    int result = 2 * value;\n    return result;\n}\n" * 3
CPP = b"template <typename T>\nclass Box : public Base<T> {\npublic:\n    explicit Box(T value) noexcept;\n};\n" * 3
QT = b"<TS version='2.1'><context><name>Box</name>\n<message><source>Open</source></message>\n</context></TS>\n"
COQ = (
    b"Theorem plus_0 : forall n : nat, n + 0 = n.\nProof.\n  intros n. induction n as [| m IH].\n  - reflexivity.\nQed.\n"
    * 3
)
PROLOG = b"parent(X, Y) :- mother(X, Y), !.\nparent(X, Y) :- father(X, Y).\n:- dynamic seen/1.\n" * 5


def share(language: str, content: bytes) -> float:
    return error_share(BudgetedParser(language).parse(content).root_node)


@pytest.mark.parametrize(
    ("language", "content"), [("C", C), ("C++", CPP), ("Python", b""), ("SQL", b"SELECT a FROM b;\n")]
)
def test_a_language_s_own_files_have_no_errors(language: str, content: bytes) -> None:
    assert share(language, content) == 0


@pytest.mark.parametrize(
    ("language", "content"), [("C", CPP), ("TypeScript", QT), ("SQL", PROLOG), ("TypeScript", COQ)]
)
def test_another_language_s_files_are_full_of_them(language: str, content: bytes) -> None:
    assert share(language, content) > SplitSettings().max_error_share


@given(st.binary(max_size=200))
def test_a_share_is_a_share(content: bytes) -> None:
    assert 0 <= share("C", content) <= 1


def test_a_slip_is_a_small_share_of_a_long_file() -> None:
    assert 0 < share("C", C * 10 + b"int x = = 3;\n" + C * 10) < 0.05


@pytest.mark.parametrize("extension", sorted(SHARED))
def test_only_a_shared_extension_is_a_reason(extension: str) -> None:
    root = BudgetedParser("C").parse(PROLOG).root_node
    with pytest.raises(
        ParseRefused, match=rf"^read as C, errors hold 0\.\d+ .* most 0\.3: .* of \.{extension}, or"
    ) as refused:
        check_language(root, f"folder/file.{extension}", "C", 0.3)
    assert refused.value.reason == "mostly_syntax_errors"
    check_language(root, f"folder/file.{extension}", "C", 1.0)
    check_language(root, "folder/file.c", "C", 0.3)


def test_the_file_is_a_rejection_with_its_reason_and_others_stay(rows_of: RowsOf) -> None:
    rows = rows_of([("C", C * 4), ("C", CPP * 4), ("C", C * 4)])
    place = rows.schema.get_field_index("path")
    rows = rows.set_column(place, rows.schema.field(place), ["a.h", "b.h", "c.h"])
    result = Splitter(SplitSettings(), "0").split(rows)
    (rejected,) = result.rejections.to_pylist()
    assert (rejected["path"], rejected["stage"], rejected["reason"]) == ("b.h", "split", "mostly_syntax_errors")
    assert set(result.examples.column("path").to_pylist()) == {"a.h", "c.h"}
