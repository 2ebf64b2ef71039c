"""Modules are short and hold one idea; the pipeline has few rooms, and all its modules are in them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.structure.import_graph import product_modules

MOST_LINES = 350
MOST_ROOMS = 9
TABLES = frozenset({"stackfim.transforms.languages.braces", "stackfim.transforms.languages.shared_extensions"})
"""Modules that are a table, a row for each thing that there is: they are as long as there are things."""
NAMES_OF_NO_IDEA = {"utils", "helpers", "common"}
MakeTree = Callable[[Mapping[str, str]], Path]


def long_modules(root: Path, tables: frozenset[str] = TABLES) -> list[str]:
    """Modules with too many lines, tables apart."""
    lines = {name: len(path.read_bytes().splitlines()) for name, path in product_modules(root).items()}
    return [f"{name}: {count} lines" for name, count in lines.items() if count > MOST_LINES and name not in tables]


def modules_of_no_idea(root: Path) -> list[str]:
    """Modules and packages whose name says nothing of what they hold."""
    return [name for name in product_modules(root) if NAMES_OF_NO_IDEA & set(name.split("."))]


def rooms(root: Path) -> list[str]:
    """The folders of `pipeline/` that hold modules."""
    return sorted(path.name for path in (root / "pipeline").iterdir() if path.is_dir() and any(path.glob("*.py")))


def modules_outside_rooms(root: Path) -> list[str]:
    """Modules that lie in `pipeline/` itself."""
    return sorted(path.name for path in (root / "pipeline").glob("*.py") if path.name != "__init__.py")


def test_no_module_is_long(root: Path) -> None:
    found = long_modules(root)
    assert not found, f"expected at most {MOST_LINES} lines in\n" + "\n".join(found)


def test_every_table_is_a_module_that_needs_the_exception(root: Path) -> None:
    assert {line.partition(":")[0] for line in long_modules(root, frozenset())} >= TABLES


@pytest.mark.parametrize(("count", "found"), [(350, []), (351, ["stackfim.transforms.lines: 351 lines"])])
def test_a_long_module_is_found(count: int, found: list[str], made_up: MakeTree) -> None:
    root = made_up({"transforms/lines.py": "x = 1\n" * count})
    assert long_modules(root) == found
    assert long_modules(root, frozenset({"stackfim.transforms.lines"})) == []


def test_the_name_of_every_module_says_what_it_holds(root: Path) -> None:
    assert modules_of_no_idea(root) == []


@pytest.mark.parametrize("file", ["transforms/utils.py", "model/common/weights.py", "pipeline/folder/helpers.py"])
def test_a_name_of_no_idea_is_found(file: str, made_up: MakeTree) -> None:
    assert modules_of_no_idea(made_up({file: ""}))


def test_the_pipeline_has_few_rooms_and_every_module_is_in_one(root: Path) -> None:
    assert len(rooms(root)) <= MOST_ROOMS, rooms(root)
    assert modules_outside_rooms(root) == []


def test_a_room_too_many_and_a_module_outside_are_found(made_up: MakeTree) -> None:
    root = made_up({f"pipeline/room{number}/a.py": "" for number in range(10)} | {"pipeline/worker.py": ""})
    assert len(rooms(root)) == 10
    assert modules_outside_rooms(root) == ["worker.py"]
