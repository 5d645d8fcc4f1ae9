"""One log format for people on stderr, JSON lines in the job. Results alone go to stdout."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

_FORMAT = "[%(asctime)s] [%(name)s] [%(levelname)s] %(message)s"
_PACKAGE = "cp_whisperx"
CLEAR_LINE = "\r\x1b[K"
"""Takes a progress line off the terminal, so that what follows starts clean."""
FILE_ONLY = "file_only"
"""An `extra` for what belongs in a job's log but not before a person's eyes, such as a traceback."""
_NOT_EXTRA = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", FILE_ONLY}


class _ForPeople(logging.Formatter):
    """Names a logger by its last part, as the stage and the command line do (`silero-vad`, `store`)."""

    def format(self, record: logging.LogRecord) -> str:
        name, record.name = record.name, short_name(record.name)
        try:
            return super().format(record)
        finally:
            record.name = name

    def formatException(self, ei: object) -> str:
        """Tracebacks are for the log of the job."""
        return ""


class _JsonLines(logging.Handler):
    """One JSON object a record; `extra` fields are kept as they are. Tracebacks are here and nowhere else."""

    def __init__(self, path: Path) -> None:
        super().__init__(logging.DEBUG)
        # File names may hold bytes that are no text: `\udcff` is how JSON writes what stands for such a byte.
        self._file = path.open("a", encoding="utf-8", errors="backslashreplace")

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(record)
        except OSError:
            # The disk that is too full for a line of log will soon stop the stage, which says so.
            pass
        except Exception:
            self.handleError(record)

    def _write(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + "Z",
            "name": short_name(record.name),
            "level": record.levelname,
            "message": record.getMessage(),
        }
        fields |= {key: value for key, value in vars(record).items() if key not in _NOT_EXTRA | fields.keys()}
        if record.exc_info:
            fields["traceback"] = logging.Formatter().formatException(record.exc_info)
        self._file.write(json.dumps(fields, ensure_ascii=False, default=str) + "\n")
        self._file.flush()

    def close(self) -> None:
        # What could not be written could not be flushed either.
        with contextlib.suppress(OSError):
            self._file.close()
        super().close()


def short_name(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def get(name: str) -> logging.Logger:
    """The logger of a module (`__name__`) or a stage (its name)."""
    return logging.getLogger(name if name.startswith(_PACKAGE) else f"{_PACKAGE}.{name}")


def configure(level: int = logging.INFO) -> None:
    """Called by entry points alone."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_ForPeople((CLEAR_LINE if sys.stderr.isatty() else "") + _FORMAT, datefmt="%Y-%m-%d %H:%M:%S"))
    handler.setLevel(level)
    handler.addFilter(lambda record: not getattr(record, FILE_ONLY, False))
    root = logging.getLogger(_PACKAGE)
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG)
    root.propagate = False


def to_file(path: Path) -> logging.Handler:
    """Adds the JSON lines of a stage; the caller closes it with `detach`."""
    handler = _JsonLines(path)
    root = logging.getLogger(_PACKAGE)
    root.addHandler(handler)
    # Whatever the entry point shows on stderr, the job's log has everything.
    root.setLevel(logging.DEBUG)
    return handler


def detach(handler: logging.Handler) -> None:
    logging.getLogger(_PACKAGE).removeHandler(handler)
    handler.close()
