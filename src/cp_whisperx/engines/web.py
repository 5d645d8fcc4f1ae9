"""One JSON document over HTTP, or one sentence why not: bounded in time, in bytes and in tries.

No time-out of an HTTP library covers the name server or a server that drips: each try runs in a thread of its own,
which is given up when it is late. Sentences and logs hold the path that was asked for, never the address with its
query, never a header, never the words of an exception, since each of them may hold the key.
"""

from __future__ import annotations

import contextlib
import email.utils
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cp_whisperx.errors import EngineError

if TYPE_CHECKING:
    import httpx2

_AGAIN = frozenset((429, 500, 502, 503, 504))
_HTTP_LOGGERS = ("httpx2", "httpcore2")


@dataclass(frozen=True, slots=True)
class Limits:
    connect_s: float = 3.0
    """Until a connection stands, the name server included."""
    answer_s: float = 20.0
    """Until the whole answer is there."""
    patience_s: float = 30.0
    """For one document: all tries, and the waits that the server asks for."""
    tries: int = 3
    bytes: int = 8 << 20


@dataclass(slots=True)
class _Try:
    """What one try came to; `problem` ends the sentence that begins with the server's name."""

    status: int = 0
    body: bytes = b""
    retry_after: str = ""
    problem: str = ""
    may_pass: bool = False
    """True if another try has a chance."""
    offline: bool = False
    reached: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)


class Web:
    """`name` is the server's in sentences; `headers` and `query` go with every request and hold its key, if any."""

    def __init__(self, name: str, base_url: str, *, headers: Mapping[str, str] | None = None,
                 query: Mapping[str, str] | None = None, limits: Limits | None = None,
                 sleep: Callable[[float], None] = time.sleep) -> None:
        self._name = name
        self._base_url = base_url.rstrip("/")
        self._headers = dict(headers or {})
        self._query = dict(query or {})
        self._limits = limits or Limits()
        self._sleep = sleep
        self._client: httpx2.Client | None = None
        self._down = ""
        for logger in _HTTP_LOGGERS:
            # They log whole addresses.
            logging.getLogger(logger).setLevel(logging.CRITICAL)

    def json(self, path: str, query: Mapping[str, str]) -> Any | None:
        """The document at `path`; None if the server has none there. Raises EngineError with one sentence.

        A server that could not be reached is not tried again.
        """
        if self._down:
            raise EngineError(self._down, hint="run again when there is a network")
        until = time.monotonic() + self._limits.patience_s
        for number in range(1, self._limits.tries + 1):
            one = self._try(path, query)
            if one.status == 404:
                return None
            if one.status == 200 and not one.problem:
                try:
                    return json.loads(one.body)
                except (ValueError, RecursionError):
                    one.problem, one.may_pass = "sent something that is no JSON", True
            problem = one.problem or _refusal(one)
            if one.offline:
                self._down = f"{self._name} {problem}"
            if not (one.may_pass or one.status in _AGAIN) or number == self._limits.tries:
                break
            wait = _asked_wait(one.retry_after)
            wait = 0.5 * 2 ** (number - 1) if wait is None else wait
            if time.monotonic() + wait > until:
                problem += f" and wants {wait:.0f} s of waiting, which is too long"
                break
            self._sleep(wait)
        raise EngineError(f"{self._name} {problem}", hint="run again later")

    def _try(self, path: str, query: Mapping[str, str]) -> _Try:
        one = _Try()
        threading.Thread(target=self._ask, args=(one, path, query), daemon=True).start()
        if not one.reached.wait(self._limits.connect_s):
            return _Try(problem="could not be reached: no connection within "
                        f"{self._limits.connect_s:g} s", offline=True)
        if not one.ended.wait(self._limits.answer_s):
            return _Try(problem=f"sent no whole answer within {self._limits.answer_s:g} s")
        return one

    def _ask(self, one: _Try, path: str, query: Mapping[str, str]) -> None:
        import httpx2

        def trace(event: str, _: Mapping[str, Any]) -> None:
            if event != "connection.connect_tcp.started":
                one.reached.set()

        try:
            if self._client is None:
                self._client = httpx2.Client(follow_redirects=False, headers=self._headers, timeout=httpx2.Timeout(
                    self._limits.answer_s, connect=self._limits.connect_s))
            with self._client.stream("GET", self._base_url + path, params={**query, **self._query},
                                     extensions={"trace": trace}) as answer:
                one.status = answer.status_code
                one.retry_after = answer.headers.get("Retry-After", "")
                one.body = self._body(answer, one)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError):
            one.problem, one.offline = "could not be reached: no connection", True
        except httpx2.TimeoutException:
            one.problem = "answered too slowly"
        except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError, httpx2.DecodingError):
            one.problem, one.may_pass = "cut its answer off or garbled it", True
        except Exception as error:
            # The type alone: the words of these errors may quote a header or an address.
            one.problem = f"could not be asked ({type(error).__name__})"
        finally:
            one.reached.set()
            one.ended.set()

    def _body(self, answer: httpx2.Response, one: _Try) -> bytes:
        body = bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > self._limits.bytes:
                one.problem = f"sent more than {self._limits.bytes >> 20} MB"
                break
        return bytes(body)


def _refusal(one: _Try) -> str:
    said = ""
    with contextlib.suppress(ValueError, AttributeError, RecursionError):
        code = json.loads(one.body).get("status_code")
        said = f", code {code}" if isinstance(code, int) else ""
    if one.status == 401:
        return f"refused the key (401{said}): it is wrong, or its account is not active"
    if one.status == 429:
        return f"had too many requests (429{said})"
    if one.status >= 500:
        return f"is in trouble ({one.status})"
    return f"answered with status {one.status}{said}"


def _asked_wait(header: str) -> float | None:
    """Seconds that a Retry-After asks for, as a number or a date (RFC 9110, 10.2.3); None if it asks for nothing."""
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", header):
        return float(header)
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    return None
