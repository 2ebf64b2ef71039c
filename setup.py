"""What pyproject.toml cannot say: where STACKFIM_COMPILE=1 is set, mypyc compiles the splitter as it stands.

The same modules run either way and give the same bytes; compiled they take less time (benchmarks/split.py). It takes a C
compiler, mypy (pip fetches it) and a minute, so an installation from source leaves it out unless it is asked for. After a
change of a compiled module it has to be done again.
"""

import os
import tempfile
from pathlib import Path

from setuptools import setup

SPLITTER = Path("stackfim/transforms/split")
# Modules whose classes are pickled into graphs, which compiled ones cannot be, and those that call what tests replace.
# Elsewhere no slice of bytes may begin after its end: mypyc 2.4 raises SystemError where Python gives nothing.
INTERPRETED = {"__init__.py", "examples.py", "multi_line_limits.py", "process.py", "split_settings.py", "transform.py"}

# Not the project's own settings, whose plugin the environment of a build does not have. The package's own module names the
# rest of the package for type checkers: without it mypy reads what the splitter uses, and not everything.
SETTINGS = """
[mypy]
ignore_missing_imports = True
follow_imports = silent
[mypy-stackfim]
follow_imports = skip
"""


if os.environ.get("STACKFIM_COMPILE") == "1":
    try:
        from mypyc.build import mypycify
    except ModuleNotFoundError:  # asked what the build requires, before it is there
        extensions = []
    else:
        modules = sorted(str(path) for path in SPLITTER.glob("*.py") if path.name not in INTERPRETED)
        with tempfile.TemporaryDirectory() as folder:
            settings = Path(folder, "mypy.ini")
            settings.write_text(SETTINGS)
            extensions = mypycify([f"--config-file={settings}", *modules], opt_level="3", debug_level="0")
    # Types of what the splitter uses make the compiled code faster.
    setup(ext_modules=extensions, setup_requires=["mypy~=2.4", "numpy>=2.3", "tree-sitter>=0.25.2"])
else:
    setup()
