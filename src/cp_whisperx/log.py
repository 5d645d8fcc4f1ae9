"""One log format for people on stderr, JSON lines in the job. Results alone go to stdout."""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

_FORMAT = "[%(asctime)s] [%(name)s] [%(levelname)s] %(message)s"
_PACKAGE = "cp_whisperx"
FILE_ONLY = "file_only"
"""An `extra` for what belongs in a job's log but not before a person's eyes, such as a traceback."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _ShortNames(logging.Formatter):
    """Names a logger by its last part, as the stage and the command line do (`silero-vad`, `store`)."""

    def format(self, record: logging.LogRecord) -> str:
        name, record.name = record.name, short_name(record.name)
        try:
            return super().format(record)
        finally:
            record.name = name


class _JsonLines(logging.Handler):
    """One JSON object a record; `extra` fields are kept as they are. Tracebacks are here and nowhere else."""

    def __init__(self, path: Path) -> None:
        super().__init__(logging.DEBUG)
        self._file = path.open("a", encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + "Z",
            "name": short_name(record.name),
            "level": record.levelname,
            "message": record.getMessage(),
        }
        fields |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            fields["traceback"] = logging.Formatter().formatException(record.exc_info)
        try:
            self._file.write(json.dumps(fields, ensure_ascii=False, default=str) + "\n")
            self._file.flush()
        except (OSError, ValueError):
            self.handleError(record)

    def close(self) -> None:
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
    handler.setFormatter(_ShortNames(_FORMAT, datefmt="%Y-%m-%d %H:%M:%S"))
    handler.setLevel(level)
    handler.addFilter(lambda record: not getattr(record, FILE_ONLY, False))
    root = logging.getLogger(_PACKAGE)
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG)
    root.propagate = False


def to_file(path: Path) -> logging.Handler:
    """Adds the JSON lines of a stage; the caller closes it with `detach`."""
    handler = _JsonLines(path)
    logging.getLogger(_PACKAGE).addHandler(handler)
    return handler


def detach(handler: logging.Handler) -> None:
    logging.getLogger(_PACKAGE).removeHandler(handler)
    handler.close()
