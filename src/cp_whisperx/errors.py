"""Every error that a person may see: one sentence, a hint, an exit code.

    CpWhisperxError
      ConfigError      2   a flag, a settings file, a job or a folder that cannot be used as asked
      MediaError       3   the film: unreadable, without sound, of an unknown kind
      ModelMissing     4   a model that is not in the store, or not as catalogued
      EngineError      5   a tool (decoder, recogniser, muxer) failed on input that seemed right
      ArtifactInvalid  6   what an earlier stage left is missing, damaged or of another version
      RunnerError      7   the process or container of a stage could not start, or was killed
      StageFailed      8   a stage met an error that none of the above names: a fault of ours

Interrupts exit with 130 and are no error. The classes survive pickling, so that they can cross processes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from typing import Any, ClassVar

INTERRUPTED = 130


class CpWhisperxError(Exception):
    """`message` is one sentence for a person; `hint` says what to do; `log` is where the details are."""

    exit_code: ClassVar[int] = 8

    def __init__(self, message: str, *, hint: str = "", log: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.log = log

    def as_dict(self) -> dict[str, Any]:
        """As programs read it: type, message, hint, log, exit_code."""
        return {"type": type(self).__name__, "message": self.message, "hint": self.hint, "log": self.log,
                "exit_code": self.exit_code}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> CpWhisperxError:
        """The reverse of `as_dict`; a type that this release does not know becomes StageFailed."""
        kind = BY_NAME.get(str(data.get("type")), StageFailed)
        return kind(str(data.get("message") or "an error without a message"), hint=str(data.get("hint", "")),
                    log=str(data.get("log", "")))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.hint, self.log)


class ConfigError(CpWhisperxError):
    exit_code = 2


class MediaError(CpWhisperxError):
    exit_code = 3


class ModelMissing(CpWhisperxError):
    exit_code = 4


class EngineError(CpWhisperxError):
    exit_code = 5


class ArtifactInvalid(CpWhisperxError):
    exit_code = 6


class RunnerError(CpWhisperxError):
    exit_code = 7


class StageFailed(CpWhisperxError):
    exit_code = 8


BY_NAME: dict[str, type[CpWhisperxError]] = {
    kind.__name__: kind
    for kind in (ConfigError, MediaError, ModelMissing, EngineError, ArtifactInvalid, RunnerError, StageFailed)
}


def _rebuild(kind: type[CpWhisperxError], message: str, hint: str, log: str) -> CpWhisperxError:
    return kind(message, hint=hint, log=log)


def no_space(error: OSError, where: object) -> CpWhisperxError | None:
    """The sentence for a full or protected disk, or None if `error` is of another kind."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ConfigError(f"no space left on the disk that holds {where}", hint="free some space and run again: "
                           "the job continues where it stopped")
    if error.errno == errno.EFBIG:
        return ConfigError(f"the disk that holds {where} takes no file of this size",
                           hint="choose another with --out: FAT, for one, ends at 4 GB")
    if error.errno == errno.EIO:
        return ConfigError(f"the disk that holds {where} answers with errors", hint="it may be failing: check it")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return ConfigError(f"{where} cannot be written ({os.strerror(error.errno)})",
                           hint="choose a folder you may write to with --out")
    return None
