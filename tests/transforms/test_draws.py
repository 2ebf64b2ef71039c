"""Draws are a function of their key and nothing else."""

import subprocess
import sys
from collections import Counter

from stackfim.transforms.draws import Draws


def test_the_stream_is_splitmix64() -> None:
    """Published outputs of SplitMix64 for the state 1234567 (Rosetta Code, `Pseudo-random numbers/Splitmix64`)."""
    draws = Draws()
    draws._state = 1234567
    assert [draws.next() for _ in range(5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_the_same_key_draws_the_same_in_another_process() -> None:
    program = (
        "from stackfim.transforms.draws import Draws; d = Draws('é', 3, -1); print(d.next(), d.uniform(), d.below(7))"
    )
    draws = Draws("é", 3, -1)
    here = f"{draws.next()} {draws.uniform()} {draws.below(7)}"
    there = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(filter(None, sys.path)), "PYTHONHASHSEED": "7"},
    ).stdout.strip()
    assert here == there


def test_other_keys_draw_otherwise() -> None:
    keys: list[tuple[str | int, ...]] = [
        ("a", 0, 0),
        ("a", 0, 1),
        ("a", 1, 0),
        ("b", 0, 0),
        ("a", "0", "01"),
        ("a", "00", "1"),
        ("a00",),
        (),
    ]
    assert len({Draws(*key).next() for key in keys}) == len(keys)


def test_draws_are_even() -> None:
    draws = Draws("even")
    below = Counter(draws.below(10) for _ in range(20_000))
    assert set(below) == set(range(10))
    assert all(1_800 < count < 2_200 for count in below.values())
    values = [draws.uniform() for _ in range(20_000)]
    assert 0 <= min(values) < 0.01
    assert 0.99 < max(values) < 1
    assert abs(sum(values) / len(values) - 0.5) < 0.01


def test_below_one_is_zero() -> None:
    assert {Draws(number).below(1) for number in range(50)} == {0}
