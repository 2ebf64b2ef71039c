"""What tests share: source files in every language, rows made of them, and all invariants of a row at once."""

import hashlib
import json
import os
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from stackfim.schemas.source import ROW, git_blob_id
from stackfim.transforms.filters.license import LicensePolicy
from stackfim.transforms.languages import LANGUAGES, OFFICIAL, has_legacy_grammars, of_grammars
from stackfim.transforms.languages.file_names import language_of_name
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.parser import BudgetedParser
from stackfim.transforms.split.split_settings import SplitSettings
from stackfim.transforms.verify.original import Original
from stackfim.transforms.verify.row_invariants import Expected, check_content, check_row
from stackfim.transforms.verify.tree_invariants import check_tree
from stackfim.transforms.verify.violation import Violation
from tests.fixture_types import RowsOf, SourceFile, ViolationsOf

# Processes that tests start keep what they compile, whatever this one was told: else each compiles Beam and PyTorch anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# The same examples on every machine: a failure that comes and goes says nothing about the code.
settings.register_profile(
    "stable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("stable")

SOURCES = Path(__file__).parent / "data" / "sources"

# Languages whose grammar is not installed (the extra legacy-grammars has no wheels for Python 3.13) cannot be tested.
AT_HAND = [name for name in LANGUAGES if has_legacy_grammars() or of_grammars(name, (OFFICIAL,))]

# Real code that comes with every install: (language, folder, files).
INSTALLED = (
    ("Python", "stdlib", "argparse.py ast.py asyncio/base_events.py bisect.py collections/__init__.py configparser.py"),
    ("Python", "stdlib", "dataclasses.py datetime.py difflib.py email/message.py enum.py fractions.py heapq.py"),
    ("Python", "stdlib", "http/client.py json/decoder.py logging/__init__.py shlex.py textwrap.py zipapp.py"),
    ("Python", "purelib", "numpy/__init__.py numpy/lib/_npyio_impl.py pyarrow/compute.py torch/nn/init.py"),
    ("Python", "purelib", "hypothesis/core.py _pytest/fixtures.py rich/table.py pydantic/main.py networkx/convert.py"),
    ("JavaScript", "purelib", "torch/utils/model_dump/code.js torch/utils/model_dump/htm.mjs"),
    ("C", "purelib", "numpy/_core/include/numpy/ndarraytypes.h numpy/_core/include/numpy/npy_common.h"),
    ("C", "purelib", "markupsafe/_speedups.c tree_sitter_python/binding.c numpy/distutils/checks/cpu_avx.c"),
    ("C++", "purelib", "torch/include/c10/util/SmallVector.h torch/include/c10/util/Half.h"),
    ("C++", "purelib", "torch/include/c10/core/TensorImpl.h torch/include/c10/util/Exception.h"),
    ("C++", "purelib", "torch/utils/benchmark/utils/valgrind_wrapper/compat_bindings.cpp"),
)


@cache
def source_files() -> tuple[SourceFile, ...]:
    """The files of tests/data/sources, in order of names."""
    files = [SourceFile(path.name, _language_of(path), path.read_bytes()) for path in sorted(SOURCES.iterdir())]
    return tuple(file for file in files if file.language in AT_HAND)


def _language_of(path: Path) -> str:
    """The language of a file of tests/data/sources: Python's end in `.python`, or linters would take them for modules."""
    return "Python" if path.suffix == ".python" else language_of_name(path.name)


@cache
def installed_files() -> tuple[SourceFile, ...]:
    """Real files of the standard library and of installed packages; those that this version lacks are left out."""
    files = []
    for language, place, names in INSTALLED:
        for name in names.split():
            path = Path(sysconfig.get_path(place)) / name
            if path.exists():
                files.append(SourceFile(name, language, path.read_bytes()))
    return tuple(files)


def pytest_sessionstart() -> None:
    """Compiled modules hide their sources: if they are older, tests would say nothing about the sources."""
    split = Path(__file__).parents[1] / "transforms" / "split"
    for library in split.glob("*.so"):
        source = split / f"{library.name.partition('.')[0]}.py"
        if not source.exists() or source.stat().st_mtime > library.stat().st_mtime:
            pytest.exit(f"{library.name} was compiled from another {source.name}: run `make native`, or remove it", 2)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`each_source` stands for each file of tests/data/sources, `each_language` for each language of the table."""
    if "each_source" in metafunc.fixturenames:
        files = source_files()
        metafunc.parametrize("each_source", files, ids=[file.name for file in files])
    if "each_language" in metafunc.fixturenames:
        metafunc.parametrize("each_language", AT_HAND)


DEFAULT_LIMITS = SplitSettings().limits


@pytest.fixture(scope="session")
def sources() -> tuple[SourceFile, ...]:
    """The files of tests/data/sources."""
    return source_files()


@pytest.fixture(scope="session")
def installed() -> tuple[SourceFile, ...]:
    """Real files that come with every install."""
    return installed_files()


@pytest.fixture(scope="session")
def rows_of() -> RowsOf:
    """Makes rows (stackfim.schemas.source.ROW) of pairs of language and content; the path is the row's number."""

    def make(files: Iterable[tuple[str, bytes]]) -> pa.RecordBatch:
        files = list(files)
        count = len(files)
        identifiers = [git_blob_id(content) for _, content in files]
        return pa.RecordBatch.from_arrays(
            [
                pa.array([content for _, content in files], pa.binary()),
                pa.array([language for language, _ in files], pa.string()),
                pa.array(["owner/name"] * count, pa.string()),
                pa.array([str(number) for number in range(count)], pa.string()),
                pa.array(["f" * 40] * count, pa.string()),
                pa.array([["MIT"]] * count, ROW.field("licenses").type),
                pa.nulls(count, pa.int64()),
                pa.nulls(count, pa.int64()),
                pa.array(identifiers, pa.string()),
                pa.array(identifiers, pa.string()),
            ],
            schema=ROW,
        )

    return make


@pytest.fixture(scope="session")
def violations_of() -> ViolationsOf:
    """All invariants of a row and its original at once: by itself, by the tree, and that it covers whole lines of it."""
    parsers: dict[str, BudgetedParser] = {}
    originals: dict[str, Original] = {}

    def check(row: dict[str, Any], content: bytes, limits: MultiLineLimits = DEFAULT_LIMITS) -> list[Violation]:
        expected = Expected(limits.max_lines, limits.max_chars, LicensePolicy(frozenset({"mit"})))
        found = check_row(row, expected) + check_content(row, content)
        if not found:
            language = row["language"]
            key = f"{language} {hashlib.sha1(content).hexdigest()}"
            if key not in originals:
                originals.clear()
                parser = parsers.setdefault(language, BudgetedParser(language))
                originals[key] = Original(content, language, parser)
            found += check_tree(row, originals[key])
        return found

    return check


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small network of random weights and a tokenizer of 2,048 ids: scores differ widely from row to row."""
    import torch
    from tokenizers import Tokenizer as Bpe
    from tokenizers import decoders, models, pre_tokenizers, trainers

    from stackfim.model.checkpoint import Model, export
    from stackfim.model.refact import Refact
    from stackfim.model.refact_config import RefactConfig
    from stackfim.model.tokenizer import Tokenizer
    from stackfim.transforms.render.families import STARCODER_SENTINELS

    torch.set_num_threads(1)  # a network this small gains nothing from more
    bpe = Bpe(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2048,
        special_tokens=list(STARCODER_SENTINELS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    library = Path(sysconfig.get_path("stdlib"))
    bpe.train([str(path) for path in sorted((library / "json").glob("*.py"))], trainer)
    config = RefactConfig(vocab_size=2048, n_embd=64, n_layer=2, n_head=4, n_positions=384)
    network = Refact(config)
    network.initialise(0)
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(8 if weight.dim() == 2 else 1)
    folder = tmp_path_factory.mktemp("checkpoint")
    export(Model(network.eval().requires_grad_(False), Tokenizer(json.loads(bpe.to_str()))), folder)
    return folder


# Where line, letter and encoding rules go wrong: breaks of other conventions, several widths of UTF-8, joiners.
PIECES = st.one_of(
    st.sampled_from(
        ["\n", "\r\n", "\r", "\n\n", "a", "Z9", "_", " ", "\t", "\x0b", "\x0c", "\u0085", "\u2028", "\ufeff", "\u00b2"]
        + ["é", "ё", "日本", "ß", "½", "👩\u200d💻", "e\u0301", "𝒳", "\x00", "\x7f", "{", "foo = bar"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)
BROKEN = st.sampled_from([b"\xc3", b"\xa9", b"\xff", b"\xe6\x97", b"\xa5", b"\xed\xa0\x80", b"\xf0\x9f", b"\xc0\x80"])


@pytest.fixture(scope="session")
def text_columns() -> st.SearchStrategy[pa.Array]:
    """Binary arrays of valid UTF-8; many are slices, so that their bytes do not begin where the buffer does."""
    return _columns(st.lists(PIECES, max_size=12).map(lambda pieces: "".join(pieces).encode()))


@pytest.fixture(scope="session")
def binary_columns() -> st.SearchStrategy[pa.Array]:
    """Binary arrays of any bytes, likewise."""
    piece = st.one_of(BROKEN, PIECES.map(str.encode), st.binary(max_size=4))
    return _columns(st.lists(piece, max_size=6).map(b"".join))


def _columns(contents: st.SearchStrategy[bytes]) -> st.SearchStrategy[pa.Array]:
    def sliced(drawn: tuple[list[bytes], int, int]) -> pa.Array:
        values, before, after = drawn
        whole = [b"before\n\xff"] * before + values + [b"\n\xa9fter"] * after
        return pa.array(whole, pa.binary()).slice(before, len(values))

    return st.tuples(st.lists(contents, max_size=8), st.integers(0, 3), st.integers(0, 3)).map(sliced)
