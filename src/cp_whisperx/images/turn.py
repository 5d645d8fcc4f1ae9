"""One build at a time on one engine: two at once would leave a set that is half of each."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

from cp_whisperx import log as logs
from cp_whisperx.images.engine import Engine

_log = logs.get("images")


@contextlib.contextmanager
def taken(engine: Engine) -> Iterator[int]:
    """Waits for the builds that began before, and says so. Yields the open lock, for the builder to keep.

    A builder that has it open holds it as well: one whose command was killed is waited for until it ends. It is a
    lock among one user's builds on one machine; others are found by what they do to the names.
    """
    path = lock_of(engine)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            _log.info(f"another build is at work on this engine ({file.read().strip()}): waiting until it ends")
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            _log.debug(f"{path.parent} knows no locks ({error.strerror})")
        file.truncate(0)
        file.write(f"begun by process {os.getpid()}")
        file.flush()
        yield file.fileno()


def lock_of(engine: Engine) -> Path:
    """The file that builds on this engine lock."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "cp-whisperx"
    return folder / f"build-{re.sub(r'[^A-Za-z0-9-]', '-', engine.id or 'engine')}.lock"
