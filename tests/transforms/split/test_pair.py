"""The silence after a middle: only where nothing has to follow what was written."""

import pytest

from stackfim.transforms.draws import Draws
from stackfim.transforms.split.multi_line import block_body
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.pair import accept_then_stop
from stackfim.transforms.split.site import Refused
from tests.fixture_types import Parsed, SitesOn


@pytest.mark.parametrize(
    ("language", "content", "line", "kind", "accepted"),
    [
        ("Python", "x = compute(1)\ny = 2\n", 0, "token_to_eol", True),
        ("Python", "if x:\n    y = 2\n", 0, "token_to_eol", False),  # the body has to follow
        ("Python", "if x:\n    y = 2\n", 0, "blank_line", False),
        ("Python", "total = f(\n    one,\n    two\n)\n", 0, "token_to_eol", False),  # after an opener
        ("Python", "total = f(\n    one.a,\n    two\n)\n", 1, "token_to_eol", False),  # after a comma
        ("Python", "total = f(\n    one,\n    two.b\n)\n", 2, "token_to_eol", True),  # the list is complete
        ("Python", "def f(a):\n    b(a)\n    return a\n\nf(1)\n", 2, "rest_of_block", None),
        ("Java", "class A {\n  int f() {\n    return 1;\n  }\n  int g() {\n    return 2;\n  }\n}\n", 1, "compound", True),
        ("Java", "class A {\n  int f() {\n    return 1;\n  }\n}\n", 1, "blank_line", False),  # after a `{`
        ("C", "int f(int a) {\n  return a +\n    1;\n}\n", 1, "token_to_eol", False),  # after an operator
        ("JavaScript", "const a = b\n  .c()\n  .d()\n", 1, "token_to_eol", False),
        ("JavaScript", "if (a.b(c)) d();\n", 0, "inner_node", True),
        ("Ruby", "def f(a)\n  b\nend\n", 0, "token_to_eol", False),
        ("Go", "package p\n\nfunc f() int {\n\treturn g(1, 2)\n}\n", 3, "before_closers", True),
    ],
)  # fmt: skip
def test_silence_after_a_middle(
    parsed: Parsed, sites_on: SitesOn, language: str, content: str, line: int, kind: str, accepted: bool | None
) -> None:
    file = parsed(language, content)
    sites = sites_on(file, kind, line)
    if accepted is None:
        assert sites == set()  # too short: there is nothing to stop after
        return
    assert sites
    for partner in sites:
        try:
            site = accept_then_stop(file, partner)
        except Refused:
            assert not accepted
            continue
        assert accepted
        assert (site.kind.category, site.kind.name, site.start, site.end) == (
            "empty",
            "accept_then_stop",
            partner.end,
            partner.end,
        )
        assert (site.partner, site.newline_owner) == (partner, partner.newline_owner)


def test_a_middle_that_keeps_its_line_break_has_no_silence_after_it(parsed: Parsed) -> None:
    file = parsed("Python", "def f(a):\n    b = a\n    return b\n\n\nf(1)\n")
    limits = MultiLineLimits(newline_in_middle_share=1.0)
    partner = block_body(file, 1, Draws("any"), limits)
    assert partner.newline_owner == "middle"
    with pytest.raises(Refused, match="line_break_in_middle"):
        accept_then_stop(file, partner)


def test_neither_a_span_nor_silence_is_a_partner(parsed: Parsed, sites_on: SitesOn) -> None:
    file = parsed("Python", "value = compute(1)\nother = 2\n")
    for kind in ("random_span", "after_statement"):
        for partner in sites_on(file, kind, 0, draws=5):
            with pytest.raises(Refused, match="no_partner"):
                accept_then_stop(file, partner)
