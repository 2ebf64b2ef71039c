"""Names, versions and licenses from metadata files; broken and hostile ones count as absent."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.pipeline.sources.code.package_metadata import (
    NOTHING,
    READERS,
    PackageMetadata,
    cargo_metadata,
    go_metadata,
    installed_metadata,
    maven_metadata,
    npm_metadata,
    pyproject_metadata,
)

ALL_READERS: list[Callable[[bytes], PackageMetadata]] = [installed_metadata, *READERS.values()]


def core(*lines: str) -> PackageMetadata:
    header = "\n".join(["Metadata-Version: 2.4", "Name: thing", "Version: 1.2", *lines])
    return installed_metadata(f"{header}\n\nLicense: GPL-3.0-only is only in the description\n".encode())


def test_a_license_expression_goes_before_everything_else() -> None:
    metadata = core(
        "License-Expression: MIT AND Zlib",
        "License: Apache 2.0",
        "Classifier: License :: OSI Approved :: ISC License (ISCL)",
    )
    assert metadata == PackageMetadata("thing", "1.2", ("MIT AND Zlib",))


def test_classifiers_go_before_the_field() -> None:
    metadata = core("License: Apache 2.0", "Classifier: License :: OSI Approved :: ISC License (ISCL)")
    assert metadata.licenses == ("ISC",)


def test_a_family_of_classifiers_is_made_exact_by_the_field_or_left_for_a_license_file() -> None:
    family = "Classifier: License :: OSI Approved :: BSD License"
    assert core(family, "License: BSD-2-Clause").licenses == ("BSD-2-Clause",)
    open_family = core(family, "License: BSD")
    assert (open_family.licenses, open_family.families) == ((), ("BSD-",))


def test_a_proprietary_classifier_leaves_no_license() -> None:
    metadata = core("License: MIT", "Classifier: License :: Other/Proprietary License")
    assert metadata.licenses == ()
    assert metadata.proprietary


def test_a_folded_field_with_the_whole_text_is_recognised_and_the_fields_after_it_are_read() -> None:
    metadata = core(
        "License: The Unlicense",
        "        ",
        "        This is free and unencumbered software",
        "        released into the public domain.",
        "License-File: LICENSE",
    )
    assert metadata.licenses == ("Unlicense",)
    assert metadata.license_files == ("LICENSE",)


def test_the_description_is_not_part_of_the_header() -> None:
    assert core().licenses == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[project]\nname = "a"\nversion = "2"\nlicense = "MIT OR Apache-2.0"',
            PackageMetadata("a", "2", ("MIT OR Apache-2.0",)),
        ),
        ('[project]\nname = "a"\nlicense = {text = "BSD 3-Clause"}', PackageMetadata("a", "", ("BSD-3-Clause",))),
        ('[project]\nname = "a"\nlicense = {file = "LIC"}', PackageMetadata("a", license_files=("LIC",))),
        (
            '[project]\nname = "a"\nclassifiers = ["License :: OSI Approved :: BSD License", 7]',
            PackageMetadata("a", families=("BSD-",)),
        ),
        (
            '[tool.poetry]\nname = "a"\nversion = "2"\nlicense = "Apache 2.0"',
            PackageMetadata("a", "2", ("Apache-2.0",)),
        ),
        ("[tool.ruff]\nline-length = 3", NOTHING),
        ('[project]\nname = 7\nversion = ["x"]\nlicense = [1]', NOTHING),
        ('project = "text"\ntool = 3', NOTHING),
        ("name = ", NOTHING),
    ],
)
def test_pyproject(text: str, expected: PackageMetadata) -> None:
    assert pyproject_metadata(text.encode()) == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"name": "@a/b", "version": "1.0.0", "license": "MIT"}, PackageMetadata("@a/b", "1.0.0", ("MIT",))),
        ({"name": "a", "license": "(MIT OR CC0-1.0)"}, PackageMetadata("a", "", ("MIT OR CC0-1.0",))),
        ({"name": "a", "license": {"type": "ISC", "url": "x"}}, PackageMetadata("a", "", ("ISC",))),
        (
            {"name": "a", "licenses": [{"type": "MIT"}, {"type": "Apache 2.0"}]},
            PackageMetadata("a", "", ("MIT", "Apache-2.0")),
        ),
        ({"name": "a", "licenses": ["MIT", "something else"]}, PackageMetadata("a")),
        ({"name": "a", "license": "UNLICENSED"}, PackageMetadata("a", proprietary=True)),
        ({"name": "a", "license": "SEE LICENSE IN LIC.txt"}, PackageMetadata("a", license_files=("LIC.txt",))),
        ({"name": ["a"], "version": 2, "license": 3}, NOTHING),
        (["MIT"], NOTHING),
        ("MIT", NOTHING),
        (None, NOTHING),
    ],
)
def test_npm(document: Any, expected: PackageMetadata) -> None:
    assert npm_metadata(json.dumps(document).encode()) == expected


def test_npm_with_a_byte_order_mark_and_without_any_json() -> None:
    assert npm_metadata(b'\xef\xbb\xbf{"name": "a"}').name == "a"
    assert npm_metadata(b"[" * 100_000) == NOTHING
    assert npm_metadata(b'{"name": "\\ud800"}') == NOTHING, "half of a character cannot be stored"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[package]\nname = "a"\nversion = "1"\nlicense = "MIT/Apache-2.0"',
            PackageMetadata("a", "1", ("MIT OR Apache-2.0",)),
        ),
        ('[package]\nname = "a"\nlicense-file = "L"', PackageMetadata("a", license_files=("L",))),
        ('[package]\nname = "a"\nversion.workspace = true\nlicense.workspace = true', PackageMetadata("a")),
        ('[workspace.package]\nlicense = "MIT"\nversion = "3"', PackageMetadata("", "3", ("MIT",))),
        ("package = 3", NOTHING),
    ],
)
def test_cargo(text: str, expected: PackageMetadata) -> None:
    assert cargo_metadata(text.encode()) == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("module example.org/a/b/v2\n\ngo 1.22\n", "example.org/a/b/v2"),
        ('// comment\nmodule "example.org/a" // more\n', "example.org/a"),
        ("modules example.org/a\n", ""),
        ("", ""),
    ],
)
def test_go(text: str, name: str) -> None:
    assert go_metadata(text.encode()) == PackageMetadata(name)


POM = """<?xml version="1.0"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <parent><groupId>org.parent</groupId><artifactId>up</artifactId><version>9</version></parent>
  <artifactId>thing</artifactId>
  {more}
  <dependencies><dependency><groupId>org.other</groupId><version>7</version></dependency></dependencies>
</project>"""


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", PackageMetadata("org.parent:thing", "9")),
        ("<groupId>org.own</groupId><version>2</version>", PackageMetadata("org.own:thing", "2")),
        ("<version>${revision}</version>", PackageMetadata("org.parent:thing")),
        (
            "<licenses><license><name>Apache License, Version 2.0</name></license>"
            "<license><name>ours</name><url>https://opensource.org/licenses/MIT</url></license></licenses>",
            PackageMetadata("org.parent:thing", "9", ("Apache-2.0", "MIT")),
        ),
        (
            "<licenses><license><name>MIT</name></license><license><name>ours</name></license></licenses>",
            PackageMetadata("org.parent:thing", "9"),
        ),
    ],
)
def test_maven(more: str, expected: PackageMetadata) -> None:
    assert maven_metadata(POM.format(more=more).encode()) == expected


def test_a_pom_with_a_document_type_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    hostile = f'<!DOCTYPE p [<!ENTITY x SYSTEM "{secret.as_uri()}">]><project><artifactId>&x;</artifactId></project>'
    laughs = "<!DOCTYPE p [<!ENTITY a 'ha'>" + "".join(
        f"<!ENTITY {chr(98 + i)} '{f'&{chr(97 + i)};' * 10}'>" for i in range(12)
    )
    for text in (hostile, f"{laughs}]><project><artifactId>&m;</artifactId></project>"):
        assert maven_metadata(text.encode()) == NOTHING
        assert maven_metadata(text.encode("utf-16")) == NOTHING


def test_a_pom_of_great_depth_is_survived() -> None:
    assert maven_metadata(b"<project>" + b"<a>" * 100_000) == NOTHING
    assert maven_metadata(b"<project>" + b"<a>" * 50_000 + b"</a>" * 50_000 + b"</project>") == NOTHING


# Garbage

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)
npm_keys = st.sampled_from(["name", "version", "license", "licenses", "type"])


def is_sound(metadata: PackageMetadata) -> bool:
    texts = (metadata.name, metadata.version, *metadata.licenses, *metadata.families, *metadata.license_files)
    return all(isinstance(text, str) and len(text) < 100_000 for text in texts)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_survived_by_every_reader(data: bytes) -> None:
    for read in ALL_READERS:
        assert is_sound(read(data))


@given(st.text(alphabet="nameversionlicense-file:=[]{}\"'<>/ \n\tprojectpackage&;!#", max_size=300))
def test_text_that_looks_like_metadata_is_survived_by_every_reader(text: str) -> None:
    for read in ALL_READERS:
        assert is_sound(read(text.encode()))


@given(st.dictionaries(npm_keys, json_values, max_size=5))
def test_package_json_of_any_shape_is_survived(document: dict[str, Any]) -> None:
    metadata = npm_metadata(json.dumps(document).encode())
    assert is_sound(metadata)
    metadata.name.encode()


@given(
    st.lists(
        st.sampled_from(["Name", "Version", "License", "License-Expression", "Classifier", " "]).flatmap(
            lambda key: st.text(max_size=40).map(lambda value: f"{key}: {value}")
        ),
        max_size=8,
    )
)
def test_core_metadata_of_any_values_is_survived(lines: list[str]) -> None:
    assert is_sound(installed_metadata("\n".join(lines).encode("utf-8", "surrogatepass")))


@pytest.mark.parametrize(
    "data",
    [
        b"\n" * 1_000_000,
        b" " * 1_000_000,
        b"module " * 140_000,
        b"module" + b" " * 1_000_000,
        b"License: x\n" + b" y\n" * 300_000,
    ],
    ids=["line breaks", "blanks", "words", "a word and blanks", "a folded field"],
)
def test_a_megabyte_of_anything_is_read_in_time_that_grows_with_its_size(data: bytes) -> None:
    for reader in READERS.values():
        started = time.process_time()
        reader(data)
        assert time.process_time() - started < 3
