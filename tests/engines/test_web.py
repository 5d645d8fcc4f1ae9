from __future__ import annotations

import logging
import socket
import threading
import time
from email.utils import formatdate

import pytest

from cp_whisperx.engines.web import Limits, Web
from cp_whisperx.errors import EngineError
from tests.film.server import OLD_KEY, TOKEN, Behaviour, document, dripping, raw, refused, serving, silent

LIMITS = Limits(connect_s=10.0, answer_s=10.0, patience_s=20.0, bytes=100_000)
HURRIED = Limits(connect_s=10.0, answer_s=0.3)
GOOD = document({"fine": True})


def web(url: str, waits: list[float], limits: Limits = LIMITS) -> Web:
    return Web("TMDB", url, headers={"Authorization": f"Bearer {TOKEN}"}, limits=limits, sleep=waits.append)


FAILURES: dict[str, tuple[Behaviour, str, int]] = {
    "wrong key": (refused(7, 401), "TMDB refused the key (401, code 7)", 1),
    "account not verified": (refused(32, 401), "TMDB refused the key (401, code 32)", 1),
    "too many": (refused(25, 429), "TMDB had too many requests (429, code 25)", 3),
    "too many for an hour": (refused(25, 429, Retry_After="3600"), "wants 3600 s of waiting, which is too long", 1),
    "broken": (raw(b"<html>oops", 503), "TMDB is in trouble (503)", 3),
    "moved": (raw(b"", 302, Location="http://127.0.0.1:9/elsewhere"), "TMDB answered with status 302", 1),
    "refused otherwise": (refused(27, 400), "TMDB answered with status 400, code 27", 1),
    "no JSON": (raw(b"<html>hello"), "TMDB sent something that is no JSON", 3),
    "bytes": (raw(bytes(range(256))), "TMDB sent something that is no JSON", 3),
    "nested without end": (raw(b"[" * 90_000), "TMDB sent something that is no JSON", 3),
    "cut off": (raw(b'{"fine": tr', length=5000), "TMDB cut its answer off or garbled it", 3),
    "not what it says it is": (raw(b"plain", Content_Encoding="gzip"), "TMDB cut its answer off or garbled it", 3),
    "silent": (silent, "TMDB sent no whole answer within 0.3 s", 1),
    "dripping": (dripping, "TMDB sent no whole answer within 0.3 s", 1),
    "too much": (raw(b" " * 200_000), "TMDB sent more than 0 MB", 1),
}


@pytest.mark.parametrize(("behaviour", "sentence", "tries"), FAILURES.values(), ids=FAILURES)
def test_every_bad_answer_is_one_sentence(behaviour: Behaviour, sentence: str, tries: int) -> None:
    with serving({"/movie/1": behaviour}) as server, pytest.raises(EngineError) as caught:
        web(server.url, [], HURRIED if "within" in sentence else LIMITS).json("/movie/1", {"part": "a"})
    assert sentence in caught.value.message
    assert len(server.asked) == tries
    assert caught.value.__cause__ is None and TOKEN not in repr(caught.value)


def test_what_is_not_there_is_none() -> None:
    with serving({}) as server:
        assert web(server.url, []).json("/movie/2", {}) is None


@pytest.mark.parametrize(("retry_after", "waited"), [
    ("2", (2.0, 2.0)), ("in 4 s", (0.1, 4.0)), ("", (0.5, 0.5)), ("soon", (0.5, 0.5)), ("-1", (0.5, 0.5)),
    ("²", (0.5, 0.5)), (formatdate(0), (0.0, 0.0))])
def test_it_waits_as_the_server_asks(retry_after: str, waited: tuple[float, float]) -> None:
    waits: list[float] = []
    retry_after = formatdate(time.time() + 4, usegmt=True) if retry_after == "in 4 s" else retry_after
    with serving({"/movie/1": [refused(25, 429, Retry_After=retry_after), GOOD]}) as server:
        assert web(server.url, waits).json("/movie/1", {}) == {"fine": True}
    assert len(waits) == 1 and waited[0] <= waits[0] <= waited[1]


@pytest.mark.parametrize("bad", ["cut off", "no JSON", "broken"])
def test_what_may_pass_is_tried_again(bad: str) -> None:
    with serving({"/movie/1": [FAILURES[bad][0], FAILURES[bad][0], GOOD]}) as server:
        assert web(server.url, []).json("/movie/1", {}) == {"fine": True}
    assert len(server.asked) == 3


def test_a_server_that_cannot_be_reached_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        one = web(f"http://127.0.0.1:{taken.getsockname()[1]}/3", [])
        with pytest.raises(EngineError, match="TMDB could not be reached: no connection"):
            one.json("/movie/1", {})

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr(threading, "Thread", forbidden)
    with pytest.raises(EngineError, match="could not be reached"):
        one.json("/movie/2", {})


def test_a_name_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver of the C library knows no time-out of ours."""
    over, asked = threading.Event(), threading.Event()

    def resolve(*_: object, **__: object) -> list[object]:
        asked.set()
        over.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    try:
        with pytest.raises(EngineError, match=r"TMDB could not be reached: no connection within 0\.2 s"):
            web("http://nobody.invalid/3", [], Limits(connect_s=0.2)).json("/movie/1", {})
        assert asked.is_set() and not over.is_set()
    finally:
        over.set()


def test_neither_log_nor_error_tells_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving({"/movie/1": [raw(b"x", 503), GOOD]}) as server:
        asked = Web("TMDB", server.url, query={"api_key": OLD_KEY}, limits=LIMITS, sleep=lambda _: None)
        assert asked.json("/movie/1", {"part": "a"}) == {"fine": True}
        with pytest.raises(EngineError) as caught:
            Web("TMDB", server.url, headers={"Authorization": f"Bearer {TOKEN}\r\nX: 1"}, limits=LIMITS).json("/", {})
    assert [query["api_key"] for _, query, _ in server.asked] == [[OLD_KEY]] * 2
    assert OLD_KEY not in caplog.text and TOKEN not in caplog.text and TOKEN not in caught.value.message
