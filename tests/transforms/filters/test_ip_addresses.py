"""Four numbers with dots are a version where the file, the text before them or the numbers themselves say so."""

import pyarrow as pa
import pytest

from stackfim.transforms.filters.personal_data import find_personal_data

VERSIONS = [
    ("Gemfile", "gem 'rails', '3.2.22.5'"),
    ("a.py", 'UA = "AppleWebKit/537.36 Chrome/43.0.81.40 Safari/537.36"'),
    ("build.gradle", "implementation('org.acme:core:2.30.4.9')"),
    ("Gemfile.lock", "    rails (3.2.22.5)\n      x (= 4.52.1.7)"),
    ("requirements.txt", "foo 43.0.81.40"),
    ("package.json", '"foo": "3.22.5.41"'),
    ("CHANGELOG.md", "## 21.43.5.6\n"),
    ("CHANGELOG", "## [121.143.55.66] - 2020-01-02"),
    ("x.md", "## 121.143.55.66 (2020-01-02)"),
    ("CMakeLists.txt", "find_package(Boost 1.74.3.22 REQUIRED)"),
    ("AssemblyInfo.cs", '[assembly: AssemblyVersion("1.22.33.44")]'),
    ("a.csproj", '<PackageReference Include="X" Version="4.33.22.1" />'),
    ("a.csproj", "<FileVersion>21.43.65.87</FileVersion>"),
    ("pom.xml", "<version>91.43.65.87</version>"),
    ("pom.xml", "<foo.bar>91.43.65.87</foo.bar>"),
    ("a.c", 'oid = "1.3.6.1.4.1.311"'),
    ("a.yml", "image: foo/bar:3.22.41.5"),
    ("a.js", "https://x.initech.io/dl/app-name/3.22.41.5/app.zip"),
    ("a.py", 'agent = "Opera/9.80 Version/12.16.44.3 OPR/61.33.4.22"'),
    ("x.lock", "foo 141.143.65.87"),
    ("setup.py", "install_requires=['x==141.143.65.87']"),
    ("a.txt", "Firmware 141.143.65.87"),
    ("npm.md", "npm i x@3.22.41.5"),
]
ADDRESSES = [
    ("a.py", 'host = "151.101.65.69"', "151.101.65.69"),
    ("a.py", 'server = "93.18.21.34"', "93.18.21.34"),
    ("Dockerfile", "curl http://93.18.21.34:80/", "93.18.21.34"),
    ("CHANGELOG", "server 141.143.65.87 moved", "141.143.65.87"),
    ("package.json", '"proxy": "http://141.14.6.87:3000"', "141.14.6.87"),
    ("a.sh", "ssh root@93.18.21.34", "93.18.21.34"),
    ("hosts", "93.18.21.34 box.initech.io", "93.18.21.34"),
    ("a.tf", 'cidr = ["93.18.21.34/32"]', "93.18.21.34"),
    ("x.md", "see 151.101.65.69 for it", "151.101.65.69"),
]


def found(path: str, text: str) -> list[str]:
    content = text.encode()
    findings = find_personal_data(pa.array([b"x", content], pa.binary()), None, ["x", path])
    return [content[finding.start : finding.end].decode() for finding in findings]


@pytest.mark.parametrize(("path", "text"), VERSIONS)
def test_versions_are_left_alone(path: str, text: str) -> None:
    assert found(path, text) == []


@pytest.mark.parametrize(("path", "text", "address"), ADDRESSES)
def test_addresses_are_found_where_the_text_says_so_or_the_numbers_are_no_version(
    path: str, text: str, address: str
) -> None:
    assert found(path, text) == [address]


@pytest.mark.parametrize(
    "text", ["gem 'rails', '3.2.22.5'", "Chrome/43.0.81.40 Safari", "implementation('org.acme:core:2.30.4.9')"]
)
def test_versions_are_told_without_a_path_too(text: str) -> None:
    assert find_personal_data(pa.array([text.encode()], pa.binary())) == []
