"""A small hub on 127.0.0.1 for `huggingface_hub` and `datasets`: real HTTP, with faults on demand.

It serves information on datasets by revision, listings of folders, information on paths, and files with HEAD and ranges.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


@dataclass
class Dataset:
    """The files of a dataset at one commit. Files of a `gated` dataset need `token`; a `private` one is hidden without it."""

    files: dict[str, bytes]
    gated: bool = False
    private: bool = False
    token: str = ""
    branches: tuple[str, ...] = ("main",)

    @property
    def commit(self) -> str:
        """A commit id that changes with the files."""
        digest = hashlib.sha1()
        for path, data in sorted(self.files.items()):
            digest.update(path.encode() + b"\0" + data)
        return digest.hexdigest()


@dataclass
class Fault:
    """What goes wrong with `times` requests whose method and path match, once `after` such requests went well."""

    method: str
    path: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    break_body: bool = False
    times: int = 1
    after: int = 0


@dataclass(frozen=True)
class Request:
    """A request that was received."""

    method: str
    path: str
    authorization: str | None
    range: str | None


@dataclass
class Hub:
    """The hub's datasets and faults, which a test may change at any time, and the requests that it received."""

    url: str
    datasets: dict[str, Dataset] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fault_for(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, if any; it is counted down."""
        with self.lock:
            for fault in self.faults:
                if fault.method == method and fault.path in path and fault.times:
                    if fault.after:
                        fault.after -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None


@contextmanager
def running_hub() -> Iterator[Hub]:
    """A hub that listens on a free port until the context ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.hub = Hub(f"http://127.0.0.1:{self.server_port}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def hub(self) -> Hub:
        assert isinstance(self.server, _Server)
        return self.server.hub

    def log_message(self, format: str, *args: object) -> None:
        """Writes nothing: the hub keeps the requests."""

    def do_GET(self) -> None:
        self._answer(send_body=True)

    def do_HEAD(self) -> None:
        self._answer(send_body=False)

    def do_POST(self) -> None:
        self._answer(send_body=True)

    def _answer(self, send_body: bool) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append(
            Request(self.command, path, self.headers.get("Authorization"), self.headers.get("Range"))
        )
        fault = self.hub.fault_for(self.command, path)
        if fault is not None and fault.status:
            return self._send(fault.status, b"fault", fault.headers, send_body)
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "datasets"] and len(parts) >= 4:
            return self._api("/".join(parts[2:4]), parts[4:], body, send_body)
        if parts[0] == "datasets" and len(parts) >= 6 and parts[3] == "resolve":
            return self._file("/".join(parts[1:3]), parts[4], "/".join(parts[5:]), send_body, fault)
        return self._send(404, b"{}", {}, send_body)

    def _dataset(self, name: str, send_body: bool, files: bool) -> Dataset | None:
        dataset = self.hub.datasets.get(name)
        authorization = self.headers.get("Authorization")
        if dataset is None or (dataset.private and authorization != f"Bearer {dataset.token}"):
            status = 404 if authorization else 401
            self._send(
                status, b"{}", {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}, send_body
            )
            return None
        if files and dataset.gated and authorization != f"Bearer {dataset.token}":
            status = 403 if authorization else 401
            self._send(
                status, b"{}", {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"}, send_body
            )
            return None
        return dataset

    def _api(self, name: str, rest: list[str], body: bytes, send_body: bool) -> None:
        dataset = self._dataset(name, send_body, files=False)
        if dataset is None:
            return None
        revision = rest[1] if len(rest) > 1 else "main"
        if rest[:1] == ["revision"]:
            revision = "/".join(rest[1:])
        if revision not in (*dataset.branches, dataset.commit):
            return self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"}, send_body)
        if not rest or rest[0] == "revision":
            return self._json({"id": name, "sha": dataset.commit, "private": False, "gated": dataset.gated}, send_body)
        if rest[0] == "paths-info":
            wanted = json.loads(body)["paths"]
            return self._json([_entry(dataset, path) for path in wanted if path in dataset.files], send_body)
        folder = "/".join(rest[2:])
        entries = _tree(dataset, folder, recursive="recursive=true" in self.path.lower())
        if folder and not entries:
            return self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"}, send_body)
        return self._json(entries, send_body)

    def _file(self, name: str, revision: str, path: str, send_body: bool, fault: Fault | None) -> None:
        dataset = self._dataset(name, send_body, files=True)
        if dataset is None:
            return None
        if path not in dataset.files:
            return self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"}, send_body)
        data = dataset.files[path]
        headers = {"X-Repo-Commit": dataset.commit, "ETag": f'"{_blob_id(data)}"', "Accept-Ranges": "bytes"}
        status, wanted = 200, self.headers.get("Range")
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last) + 1 if last else len(data), len(data))
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
            status, data = 206, data[start:end]
        return self._send(status, data, headers, send_body, break_body=fault is not None and fault.break_body)

    def _json(self, value: object, send_body: bool) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"}, send_body)

    def _send(
        self, status: int, data: bytes, headers: dict[str, str], send_body: bool, break_body: bool = False
    ) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        if break_body:
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(2)
        elif send_body:
            self.wfile.write(data)


def _blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _entry(dataset: Dataset, path: str) -> dict[str, object]:
    data = dataset.files[path]
    return {"type": "file", "path": path, "size": len(data), "oid": _blob_id(data)}


def _tree(dataset: Dataset, folder: str, recursive: bool) -> list[dict[str, object]]:
    prefix = f"{folder}/" if folder else ""
    entries: dict[str, dict[str, object]] = {}
    for path in sorted(dataset.files):
        if not path.startswith(prefix):
            continue
        parts = path.removeprefix(prefix).split("/")
        for depth in range(1, len(parts)):
            parent = prefix + "/".join(parts[:depth])
            if recursive or depth == 1:
                entries[parent] = {"type": "directory", "path": parent, "size": 0, "oid": _blob_id(parent.encode())}
        if recursive or len(parts) == 1:
            entries[path] = _entry(dataset, path)
    return list(entries.values())
