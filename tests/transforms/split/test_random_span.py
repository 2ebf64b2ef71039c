"""Uniform spans: whole characters, anywhere, within the caps."""

from stackfim.transforms.draws import Draws
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.random_span import random_span
from stackfim.transforms.split.site import Refused, Site
from stackfim.transforms.split.syntax import ParsedFile
from tests.fixture_types import Parsed

LIMITS = MultiLineLimits(max_lines=8, max_chars=100)


def spans(file: ParsedFile, count: int = 2_000) -> list[Site]:
    found = []
    for number in range(count):
        try:
            found.append(random_span(file, 0, Draws("span", number), LIMITS))
        except Refused as refused:
            assert str(refused) in ("over_the_cap", "blank_edge")
    return found


def test_spans_are_of_whole_characters_and_within_the_caps(parsed: Parsed) -> None:
    text = "x = 'größe 👩\u200d💻 日本'\r\n\r\ny = [1, 2]  \r\n" * 20
    file = parsed("Python", text)
    found = spans(file)
    assert len(found) > 1_000
    for site in found:
        middle = file.content[site.start : site.end].decode()
        assert middle.strip()
        assert len(middle) <= LIMITS.max_chars
        assert middle.count("\n") < LIMITS.max_lines
        for cut in (site.start, site.end):
            assert file.content[cut - 1 : cut + 1] != b"\r\n"
        assert (site.kind.category, site.kind.name, site.stop_reason) == ("random_span", "random_span", None)


def test_spans_are_uniform_in_start_and_length(parsed: Parsed) -> None:
    file = parsed("Python", "".join(f"name_{number} = {number}\n" for number in range(2_000)))
    found = spans(file)
    starts = sorted(site.start / len(file.content) for site in found)
    lengths = sorted(site.end - site.start for site in found)
    for share in (0.1, 0.5, 0.9):
        assert abs(starts[int(share * len(starts))] - share) < 0.04
    # Long spans have more lines than are allowed.
    assert 1 <= lengths[0] < 5
    assert abs(lengths[len(lengths) // 2] - 50) < 5


def test_the_line_break_after_a_span_has_a_true_owner(parsed: Parsed) -> None:
    file = parsed("Python", "alpha = 1  \nbeta = 2\n" * 30)
    owners = set()
    for site in spans(file):
        middle, after = file.content[site.start : site.end], file.content[site.end :]
        owners.add(site.newline_owner)
        if site.newline_owner == "middle":
            assert middle.endswith(b"\n")
        elif site.newline_owner == "suffix":
            assert not after.partition(b"\n")[0].strip()
            assert not middle.endswith(b"\n")
        else:
            assert after.partition(b"\n")[0].strip() or not after
    assert owners == {"middle", "suffix", "none"}
