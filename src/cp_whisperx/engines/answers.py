"""A catalogue's answers on this machine's disk, for no longer than its terms allow.

One file an answer, named by what was asked. A folder that is not there, cannot be written or holds damaged files is
the same as an empty one: a cache must never be why something fails.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cp_whisperx import publish

KEEP_S = 180 * 24 * 3600.0
"""TMDB's terms: six months."""
FRESH_S = 7 * 24 * 3600.0
"""Up to this age an answer is as good as a new one; an older one serves only where no new one can be had."""


def default_folder() -> Path:
    """In the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "cp-whisperx" / "tmdb"


class Answers:
    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since 1970."""
        self._folder = folder
        self._clock = clock
        self._drop_old()

    def get(self, question: str, *, max_age_s: float = KEEP_S) -> Any | None:
        """The answer, or None if there is none of at most that age."""
        try:
            kept = json.loads(self._path(question).read_bytes())
            if kept["question"] == question and 0 <= self._clock() - kept["at"] <= min(max_age_s, KEEP_S):
                return kept["answer"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass
        return None

    def put(self, question: str, answer: Any) -> None:
        data = json.dumps({"question": question, "at": self._clock(), "answer": answer}, ensure_ascii=False)
        with contextlib.suppress(OSError, UnicodeEncodeError):
            self._folder.mkdir(parents=True, exist_ok=True)
            publish.publish_file(self._path(question), data.encode())

    def _path(self, question: str) -> Path:
        return self._folder / f"{hashlib.sha256(question.encode('utf-8', 'replace')).hexdigest()[:32]}.json"

    def _drop_old(self) -> None:
        with contextlib.suppress(OSError):
            for path in self._folder.glob("*.json"):
                if self._clock() - path.stat().st_mtime > KEEP_S:
                    path.unlink()
