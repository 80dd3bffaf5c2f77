"""A server that speaks as much of the Hugging Face hub's protocol as a push and a load need."""

from __future__ import annotations

import base64
import json
from hashlib import sha1
from http.server import BaseHTTPRequestHandler
from typing import Any

COMMIT = "0" * 40


class HubServer(BaseHTTPRequestHandler):
    """Keeps the files of one repository in memory.

    Attributes:
        files: their bytes by name; shared, so that tests make a class of their own for each server.
    """

    files: dict[str, bytes]

    def do_POST(self) -> None:
        """Creates the repository, takes any card, asks for all files in the commit itself and keeps them."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path.endswith("/repos/create"):
            self._answer({"url": f"http://{self.headers['Host']}/me/my-decoder"})
        elif self.path.endswith("/validate-yaml"):
            self._answer({"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            asked = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in asked]
            self._answer({"files": modes})
        elif "/commit/" in self.path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            url = f"http://{self.headers['Host']}/me/my-decoder/commit/{COMMIT}"
            self._answer({"success": True, "commitOid": COMMIT, "commitUrl": url})
        else:
            self.send_error(404)

    def do_GET(self) -> None:
        """Lists the files, or sends one."""
        self._send(body=True)

    def do_HEAD(self) -> None:
        """Says how long a file is, and which version."""
        self._send(body=False)

    def _send(self, *, body: bool) -> None:
        if "/tree/" in self.path:
            kept = self.files.items()
            self._answer(
                [{"type": "file", "path": name, "size": len(data), "oid": _id(data)} for name, data in kept]
            )
            return
        if self.path.startswith("/api/models/"):
            siblings = [{"rfilename": name} for name in self.files]
            self._answer({"id": "me/my-decoder", "sha": COMMIT, "siblings": siblings})
            return
        content = self.files.get(self.path.rpartition("/")[2])
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{_id(content)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def _answer(self, values: Any) -> None:
        content = json.dumps(values).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


def _id(content: bytes) -> str:
    return sha1(content, usedforsecurity=False).hexdigest()
