"""A web server on the loopback that answers as TMDB does, or as badly as a case asks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXRva2Vu.Zm9yLXRlc3Rz"
OLD_KEY = "0123456789abcdef0123456789abcdef"

Behaviour = Callable[[BaseHTTPRequestHandler, threading.Event], None]


def document(value: Any, status: int = 200, **headers: str) -> Behaviour:
    return raw(json.dumps(value, ensure_ascii=False).encode(), status, **headers)


def raw(body: bytes, status: int = 200, *, length: int | None = None, **headers: str) -> Behaviour:
    """`length` is what the server says there is, if that is not the truth."""
    def behave(request: BaseHTTPRequestHandler, _: threading.Event) -> None:
        request.send_response(status)
        request.send_header("Content-Type", "application/json;charset=utf-8")
        request.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)
    return behave


def silent(_: BaseHTTPRequestHandler, over: threading.Event) -> None:
    """Takes the question and says nothing."""
    over.wait()


def dripping(request: BaseHTTPRequestHandler, over: threading.Event) -> None:
    """A byte now and then: never silent for long, never done."""
    request.send_response(200)
    request.send_header("Content-Length", "1000000")
    request.end_headers()
    while not over.wait(0.05):
        request.wfile.write(b" ")
        request.wfile.flush()


def refused(code: int, status: int, **headers: str) -> Behaviour:
    """An error as TMDB words it."""
    return document({"success": False, "status_code": code, "status_message": f"No ({code})."}, status, **headers)


@dataclass
class Server:
    """`answers` by path; of several behaviours each serves one request, the last of them all that follow."""

    url: str
    answers: dict[str, list[Behaviour]]
    asked: list[tuple[str, dict[str, list[str]], dict[str, str]]] = field(default_factory=list)
    """Path, query and headers of each request."""
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def paths(self) -> list[str]:
        return [path for path, _, _ in self.asked]


@contextmanager
def serving(answers: Mapping[str, Behaviour | Sequence[Behaviour]]) -> Iterator[Server]:
    made = Server("", {path: [value] if callable(value) else list(value) for path, value in answers.items()})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/3")
            made.asked.append((path, parse_qs(parts.query), dict(self.headers.items())))
            key = self.headers.get("Authorization", "").removeprefix("Bearer ")
            if key != TOKEN and parse_qs(parts.query).get("api_key") != [OLD_KEY]:
                behave = refused(7, 401)
            else:
                known = made.answers.get(path, [refused(34, 404)])
                behave = known.pop(0) if len(known) > 1 else known[0]
            with suppress(BrokenPipeError, ConnectionResetError):
                behave(self, made.over)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        server.daemon_threads = True
        made.url = f"http://127.0.0.1:{server.server_address[1]}/3"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield made
        finally:
            made.over.set()
            server.shutdown()


def ddlj(shared_media: Path) -> dict[str, Any]:
    """The recorded answers of TMDB on a film, as one with `append_to_response`; the parts that nobody recorded are in
    the documented form."""
    folder = shared_media / "metadata" / "tmdb"
    details: dict[str, Any] = json.loads((folder / "movie_19404_ddlj_1995_details.json").read_bytes())
    return details | {
        "credits": json.loads((folder / "movie_19404_ddlj_1995_credits.json").read_bytes()),
        "keywords": {"keywords": [{"id": 1, "name": "arranged marriage"}, {"id": 2, "name": "london, england"},
                                  {"id": 3, "name": "punjab, india"}]},
        "alternative_titles": {"titles": [
            {"iso_3166_1": "IN", "title": "DDLJ", "type": ""},
            {"iso_3166_1": "RU", "title": "Непохищенная невеста", "type": ""},
            {"iso_3166_1": "GB", "title": "The Big Hearted Will Take the Bride", "type": ""}]},
        "translations": {"translations": [
            {"iso_3166_1": "IN", "iso_639_1": "hi", "data": {"title": "दिलवाले दुल्हनिया ले जाएंगे"}},
            {"iso_3166_1": "DE", "iso_639_1": "de", "data": {"title": "Wer zuerst kommt, kriegt die Braut"}}]},
        "external_ids": {"imdb_id": "tt0112870"},
    }
