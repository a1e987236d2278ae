"""A local stand-in for the Hugging Face hub and a package index, with all their failures."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ERRORS = {
    "gated": (403, {"X-Error-Code": "GatedRepo"}),
    "private": (401, {}),
    "unknown": (404, {"X-Error-Code": "RepoNotFound"}),
    "failing": (500, {}),
}


class Hub:
    """Serves ``files`` as the model ``some/model``. ``answer`` says how it responds to requests:

    ``serving``, ``hanging``, ``cut`` (half of the weights are not sent), ``damaged`` (a byte of
    every safetensors file is changed), ``huge`` (larger than any disk), or one of ``ERRORS``.
    """

    def __init__(self) -> None:
        self.answer = "unknown"
        self.files: dict[str, bytes] = {}
        self.hanging = threading.Event()
        outer = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.respond(self)

            def do_HEAD(self) -> None:
                outer.respond(self)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.hanging.set()
        self.server.shutdown()
        self.server.server_close()

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        if self.answer == "hanging":
            self.hanging.wait(60)
        elif self.answer in ERRORS:
            status, headers = ERRORS[self.answer]
            self.send(request, status, b"{}", headers)
        elif request.path.startswith("/simple/"):
            links = "".join(f'<a href="/{name}">{name}</a>' for name in self.files)
            self.send(request, 200, links.encode(), {"Content-Type": "text/html"})
        elif "/tree/" in request.path:
            tree = [
                {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
                for name, content in self.files.items()
            ]
            self.send(request, 200, json.dumps(tree).encode(), {})
        elif request.path.startswith("/api/models/"):
            model = {"id": "some/model", "sha": "0" * 40, "private": False}
            model["siblings"] = [self._sibling(name) for name in self.files]
            self.send(request, 200, json.dumps(model).encode(), {})
        else:
            name = request.path.rpartition("/")[2]
            content = self.files.get(name, b"")
            if self.answer == "damaged" and name.endswith(".safetensors"):
                content = content[:-1] + bytes([content[-1] ^ 1])
            if self.answer == "cut" and "Range" in request.headers:
                return  # without the rest
            headers = {"ETag": f'"{name}"', "X-Repo-Commit": "0" * 40}
            self.send(request, 200, content, headers)

    def _sibling(self, name: str) -> dict[str, object]:
        content = self.files[name]
        size = 10**15 if self.answer == "huge" else len(content)
        sibling: dict[str, object] = {"rfilename": name, "size": size}
        if name.endswith(".safetensors"):
            checksum = hashlib.sha256(content).hexdigest()
            sibling["lfs"] = {"sha256": checksum, "size": size, "pointerSize": 130}
        return sibling

    def send(
        self, request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]
    ) -> None:
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            request.send_header(name, value)
        request.end_headers()
        if request.command == "GET":
            is_cut = self.answer == "cut" and request.path.endswith(".safetensors")
            request.wfile.write(body[: len(body) // 2] if is_cut else body)
