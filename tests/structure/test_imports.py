"""Imports go by one name, `stackfim.…`, point one way between layers and rooms, and never in a circle."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.structure.import_graph import Import, circles, imports, product_modules
from tests.structure.import_names import other_names

LAYERS = {"schemas": 0, "transforms": 1, "model": 1, "pipeline": 2}
"""`transforms` and `model` are peers."""
ROOMS = {"config": 0, "local": 1, "sources": 2, "folder": 3, "build": 4, "derive": 4, "inspect": 4, "commands": 5}
"""Rooms of `pipeline/`; those of one number do not import each other."""
MakeTree = Callable[[Mapping[str, str]], Path]


def python_files(root: Path) -> list[Path]:
    """Product, tests and benchmarks."""
    code = list(product_modules(root).values())
    code += [path for folder in ("tests", "benchmarks", "examples") for path in sorted((root / folder).rglob("*.py"))]
    # Sample sources are data, and this file is full of what it forbids.
    return [path for path in code if root / "tests" / "data" not in path.parents and path != Path(__file__)]


def arrows_back(found: list[Import]) -> list[str]:
    """Imports against the order of layers and rooms, in words."""
    return [
        f"{each.importer} -> {each.imported} (line {each.line})"
        for each in found
        if _points_back(each.importer.split(".")[1:], each.imported.split(".")[1:])
    ]


def _points_back(importer: list[str], imported: list[str]) -> bool:
    """Both are names below `stackfim`; one without a layer is of the face, which may import all and which none imports."""
    if not importer or importer[0] not in LAYERS:
        return False
    if not imported or imported[0] not in LAYERS:
        return True
    if (importer[0], imported[0]) == ("pipeline", "pipeline"):
        return len(imported) > 1 and _points_back_in_pipeline(importer[1:], imported[1:])
    return LAYERS[imported[0]] > LAYERS[importer[0]]


def _points_back_in_pipeline(importer: list[str], imported: list[str]) -> bool:
    if not importer:
        return True  # what all rooms have above them imports none of them
    room, other = importer[0], imported[0]
    return room != other and ROOMS[other] >= ROOMS[room]


def test_all_code_imports_the_package_by_its_name(root: Path) -> None:
    found = [name for path in python_files(root) for name in other_names(root, path)]
    assert not found, "expected stackfim.… in\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("from transforms.lines import Lines", "transforms.lines"),
        ("def late():\n    import model", "model"),
        ("from . import lines", "."),
        ('monkeypatch.setattr("transforms.lines.Lines", None)', "transforms.lines.Lines"),
        ('import_module("model")', "model"),
        ('[sys.executable, "-P", "-m", "pipeline"]', "pipeline"),
        ('run("exec python -m transforms.lines")', "transforms.lines"),
        ('CODE = """\nimport sys\nfrom transforms import lines\n"""', "transforms"),
        ('CODE = "import sys; import model, re"', "model"),
    ],
)
def test_another_name_is_found(code: str, name: str, made_up: MakeTree) -> None:
    root = made_up({"transforms/lines.py": "", "tests/test_lines.py": code})
    (found,) = other_names(root, root / "tests" / "test_lines.py")
    assert found.endswith(f": {name}")


@pytest.mark.parametrize(
    "code",
    [
        "from stackfim.transforms import lines",
        'monkeypatch.setattr("stackfim.transforms.lines.Lines", None)',
        'PATHS = ("model.gguf", "transforms/lines.py", "stack model.py")',
        'COMMAND = "python -m stackfim.model.training.train"',
        '"""Tells where examples come\nfrom model to model."""',
    ],
)
def test_names_of_the_package_and_of_files_are_not_other_names(code: str, made_up: MakeTree) -> None:
    root = made_up({"transforms/lines.py": "", "tests/test_lines.py": code})
    assert other_names(root, root / "tests" / "test_lines.py") == []


def test_imports_follow_the_order_of_layers_and_rooms(root: Path) -> None:
    found = arrows_back(imports(product_modules(root)))
    assert not found, "these imports run back:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("file", "code", "arrow"),
    [
        ("schemas/row.py", "import stackfim.transforms.lines", "schemas.row -> stackfim.transforms.lines"),
        (
            "transforms/lines.py",
            "def f():\n    import stackfim.pipeline.local",
            "transforms.lines -> stackfim.pipeline",
        ),
        ("model/net.py", "if TYPE_CHECKING:\n    from stackfim import Outcome", "model.net -> stackfim (line 2)"),
        (
            "pipeline/local/memory.py",
            "from stackfim.pipeline.folder import paths",
            "local.memory -> stackfim.pipeline.folder",
        ),
        (
            "pipeline/derive/purge.py",
            "from stackfim.pipeline.build.run import build",
            "derive.purge -> stackfim.pipeline.build",
        ),
        (
            "pipeline/inspect/show.py",
            "import stackfim.pipeline.derive.score",
            "inspect.show -> stackfim.pipeline.derive",
        ),
        (
            "pipeline/build/run.py",
            "from stackfim.pipeline.commands import app",
            "build.run -> stackfim.pipeline.commands",
        ),
        ("pipeline/__init__.py", "from stackfim.pipeline.config import load", "pipeline -> stackfim.pipeline.config"),
    ],
)
def test_an_arrow_that_runs_back_is_told(file: str, code: str, arrow: str, made_up: MakeTree) -> None:
    found = arrows_back(imports(product_modules(made_up({file: code}))))
    assert any(arrow in line for line in found), found


def test_arrows_along_the_order_are_fine(made_up: MakeTree) -> None:
    root = made_up(
        {
            "stackfim/__init__.py": "def build():\n    from stackfim.pipeline.build import run",
            "transforms/score.py": "from stackfim.schemas import row\nfrom stackfim import model",
            "model/scorer.py": "from stackfim.transforms.render import families",
            "pipeline/folder/shards.py": "from stackfim.pipeline.sources import code\nfrom stackfim.pipeline.folder import paths",
            "pipeline/commands/build.py": "from stackfim.pipeline.build import run",
        }
    )
    assert arrows_back(imports(product_modules(root))) == []


def test_no_modules_import_each_other_in_a_circle(root: Path) -> None:
    found = [" -> ".join(circle) for circle in circles(imports(product_modules(root)))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("files", "circle"),
    [
        (
            {
                "model/a.py": "from stackfim.model import b",
                "model/b.py": "import stackfim.transforms.c",
                "transforms/c.py": "try:\n    from stackfim.model.a import name\nexcept ImportError:\n    pass",
            },
            ["stackfim.model.a", "stackfim.model.b", "stackfim.transforms.c", "stackfim.model.a"],
        ),
        (
            {
                "pipeline/sources/__init__.py": "from stackfim.pipeline.sources.hub import Hub",
                "pipeline/sources/hub.py": "from stackfim.pipeline.sources import SourceError",
            },
            ["stackfim.pipeline.sources", "stackfim.pipeline.sources.hub", "stackfim.pipeline.sources"],
        ),
        (
            {
                "model/__init__.py": "from stackfim.transforms.c import name",
                "model/a.py": "",
                "transforms/c.py": "from stackfim.model.a import name",
            },
            ["stackfim.model", "stackfim.transforms.c", "stackfim.model"],
        ),
    ],
    ids=["over three modules", "through the package of its own", "through the package of another"],
)
def test_a_circle_is_told_with_all_its_modules(files: dict[str, str], circle: list[str], made_up: MakeTree) -> None:
    assert circles(imports(product_modules(made_up(files)))) == [circle]


def test_imports_that_wait_make_no_circle(made_up: MakeTree) -> None:
    late = "if TYPE_CHECKING:\n    from stackfim.model.a import name\n\n\ndef f():\n    from stackfim.model import a"
    root = made_up({"model/a.py": "from stackfim.model import b", "model/b.py": late})
    assert circles(imports(product_modules(root))) == []
