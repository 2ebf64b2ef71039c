"""`stackfim complete` with the shipped checkpoint: writes the middle alone, stops, and names what is wrong."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Command = Callable[..., "CompletedProcess[str]"]

PREFIX = "def area(width, height):\n    "
SUFFIX = "\n\n\nprint(area(2, 3))\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A prefix and a suffix in files."""
    prefix, suffix = tmp_path / "prefix", tmp_path / "suffix"
    prefix.write_text(PREFIX)
    suffix.write_text(SUFFIX)
    return prefix, suffix


def test_it_writes_what_the_function_gives(stackfim: Command, files: tuple[Path, Path]) -> None:
    from stackfim import model
    from stackfim.model.generation import complete

    prefix, suffix = files
    done = stackfim("complete", "--model", "tiny", "--prefix", prefix, "--suffix", suffix)
    assert done.returncode == 0, done.stderr
    written = complete(model.load("tiny"), PREFIX, SUFFIX, max_new_tokens=128)
    assert done.stdout == written.text
    assert (written.stop == "end_of_text") == (done.stderr == "")


def test_a_short_text_says_that_it_was_cut_and_draws_follow_the_seed(here: Command, files: tuple[Path, Path]) -> None:
    command = ("complete", "--model", "tiny", "--prefix", files[0], "--max-new-tokens", 3, "--temperature", 1.5)
    one, two, *others = (here(*command, "--seed", seed) for seed in (1, 1, 2, 3, 4))
    assert (one.returncode, one.stdout) == (0, two.stdout)
    assert one.stdout
    assert any(other.stdout != one.stdout for other in others)
    assert "stopped at max_new_tokens" in one.stderr


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--prefix", "/no/such/file", "/no/such/file: No such file"),
        ("--prefix", "{latin}", "byte 3 is not UTF-8, expected a text file"),
        ("--model", "/no/such/model", "no such folder or .gguf file"),
        ("--layout", "pms", "layout is 'pms', expected psm or spm"),
        ("--top-p", "0", "top_p=0.0"),
        ("--prefix", "{long}", "the lines at the cursor are too long, expected at most"),
    ],
)
def test_wrong_usage_is_told(
    here: Command, files: tuple[Path, Path], tmp_path: Path, option: str, value: str, message: str
) -> None:
    latin, long = tmp_path / "latin", tmp_path / "long"
    latin.write_bytes(b"abc\xe9")
    long.write_text("x = 1; " * 900)
    options = {"--model": "tiny", "--prefix": str(files[0]), "--suffix": str(files[1])}
    options[option] = value.format(latin=latin, long=long)
    done = here("complete", *(part for pair in options.items() for part in pair))
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
