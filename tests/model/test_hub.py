"""Loading by a Hugging Face id, from a server that behaves as the Hub does, and from the cache without one."""

from __future__ import annotations

import hashlib
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from stackfim import model
from stackfim.model.checkpoint import Model, export

FIRST, SECOND = "a" * 40, "b" * 40
TOKEN = "hf_" + "t" * 30


class Hub(http.server.ThreadingHTTPServer):
    """Serves `org/refact` at two commits; `main` moves from the first to the second after one answer."""

    def __init__(self, folders: dict[str, Path]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.folders = folders
        self.moves = False
        self.private = False
        self.silent_for: set[str] = set()
        self.asked: list[str] = []
        self.tokens: set[str | None] = set()


class Answer(http.server.BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        hub = self.server
        repository, _, rest = self.path.lstrip("/").partition("/resolve/")
        revision, _, name = rest.partition("/")
        if repository != "org/refact":
            return self.refuse(404, "RepoNotFound")
        hub.tokens.add(self.headers.get("Authorization"))
        if hub.private and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.refuse(401, "GatedRepo")
        commit = {"main": FIRST, "v1": FIRST}.get(revision, revision)
        if revision == "main" and hub.moves:
            commit = FIRST if not hub.asked else SECOND
        if name in hub.silent_for:
            self.close_connection = True
            return None
        hub.asked.append(f"{revision}/{name}")
        if commit not in hub.folders:
            return self.refuse(404, "RevisionNotFound")
        path = hub.folders[commit] / name
        if not path.is_file():
            return self.refuse(404, "EntryNotFound", commit)
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("X-Repo-Commit", commit)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)
        return None

    def refuse(self, status: int, code: str, commit: str | None = None) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", code)
        if commit:
            self.send_header("X-Repo-Commit", commit)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(small: Model, tmp_path: Path) -> Iterator[Hub]:
    folders = {commit: tmp_path / commit for commit in (FIRST, SECOND)}
    for folder in folders.values():
        export(small, folder)
    (folders[SECOND] / "model.safetensors").unlink()
    server = Hub(folders)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run(code: str, tmp_path: Path, hub: Hub | None, **environment: str) -> str:
    """What a fresh Python prints; the Hub's address and cache are read when its library is imported."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    kept |= {"HF_HOME": str(tmp_path / "cache"), "NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    kept["HF_ENDPOINT"] = f"http://127.0.0.1:{hub.server_port if hub else 9}"
    command = [sys.executable, "-c", "from stackfim import model\n" + code]
    root = Path(model.__file__).parents[1]
    done = subprocess.run(command, cwd=root, env=kept | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


LOAD = "loaded = model.load('org/refact'); print(loaded.revision, loaded.tokenizer.size, loaded.config.n_layer)"
FAIL = """
try:
    model.load({id!r}, revision={revision!r})
except FileNotFoundError as error:
    print(str(error).replace(chr(10), ' '))
"""


def test_all_files_are_of_the_commit_that_the_first_was_of(hub: Hub, tmp_path: Path) -> None:
    hub.moves = True
    assert run(LOAD, tmp_path, hub) == f"{FIRST} 2048 2"
    revisions = {asked.split("/")[0] for asked in hub.asked if not asked.endswith("config.json")}
    assert revisions == {FIRST}
    assert f"{FIRST}/pytorch_model.bin" not in hub.asked


def test_what_is_cached_loads_without_a_network(hub: Hub, tmp_path: Path) -> None:
    run(LOAD, tmp_path, hub)
    assert run(LOAD, tmp_path, None, HF_HUB_OFFLINE="1") == f"{FIRST} 2048 2"


def test_a_tag_and_the_token_of_the_environment_are_used(hub: Hub, tmp_path: Path) -> None:
    hub.private = True
    code = "print(model.load('org/refact', revision='v1').revision)"
    assert run(code, tmp_path, hub, HF_TOKEN=TOKEN) == FIRST
    assert hub.asked[0] == "v1/config.json"
    assert hub.tokens == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("name", "revision", "private", "message"),
    [
        ("org/nothing", None, False, "org/nothing at main: config.json could not be fetched: "),
        ("org/refact", "v9", False, "org/refact at v9: config.json could not be fetched: "),
        ("org/refact", None, True, "org/refact at main: config.json could not be fetched: "),
        ("org/refact/model.Q4_0.gguf", None, False, "org/refact has no model.Q4_0.gguf"),
    ],
)
def test_what_is_not_there_is_named(
    hub: Hub, tmp_path: Path, name: str, revision: str | None, private: bool, message: str
) -> None:
    hub.private = private
    printed = run(FAIL.format(id=name, revision=revision), tmp_path, hub, HF_TOKEN="" if private else TOKEN)
    assert printed.startswith(message)
    assert TOKEN not in printed


def test_a_gguf_file_of_an_id_is_loaded(hub: Hub, tmp_path: Path, oracle: Path) -> None:
    (hub.folders[FIRST] / "model-Q4_0.gguf").write_bytes((oracle / "h4" / "model-Q4_0.gguf").read_bytes())
    code = "loaded = model.load('org/refact/model-Q4_0.gguf'); print(loaded.revision, loaded.config.vocab_size)"
    assert run(code, tmp_path, hub) == f"{FIRST} 320"


def test_a_hub_that_falls_silent_is_no_hub_without_a_tokenizer(hub: Hub, tmp_path: Path) -> None:
    hub.silent_for = {"tokenizer.json"}
    printed = run(FAIL.format(id="org/refact", revision=None), tmp_path, hub)
    assert printed.startswith("org/refact at main: tokenizer.json could not be fetched: ")


def test_an_unreachable_hub_is_named(tmp_path: Path) -> None:
    printed = run(FAIL.format(id="org/refact", revision=None), tmp_path, None, HF_HUB_OFFLINE="1")
    assert printed.startswith("org/refact at main: config.json is not in the cache and could not be fetched")
