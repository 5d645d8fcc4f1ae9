from __future__ import annotations

import errno
import os
import pickle
import re

import pytest

from cp_whisperx import errors
from cp_whisperx.errors import BY_NAME, ConfigError, CpWhisperxError, StageFailed, no_space

KINDS = pytest.mark.parametrize("kind", [CpWhisperxError, *BY_NAME.values()], ids=lambda kind: kind.__name__)


def test_the_table_holds_every_class() -> None:
    assert set(BY_NAME.values()) == set(CpWhisperxError.__subclasses__())


def test_exit_codes_are_as_drawn() -> None:
    assert errors.__doc__
    drawn = {name: int(code) for name, code in re.findall(r"^ {6}(\w+) +(\d)", errors.__doc__, re.MULTILINE)}
    assert drawn == {name: kind.exit_code for name, kind in BY_NAME.items()}
    assert len(set(drawn.values())) == len(drawn)


@KINDS
def test_errors_cross_processes(kind: type[CpWhisperxError]) -> None:
    error = pickle.loads(pickle.dumps(kind("it broke", hint="mend it", log="/log")))  # noqa: S301
    assert type(error) is kind
    assert (error.message, error.hint, error.log, str(error)) == ("it broke", "mend it", "/log", "it broke")


@pytest.mark.parametrize("kind", BY_NAME.values(), ids=BY_NAME)
def test_errors_cross_programs(kind: type[CpWhisperxError]) -> None:
    data = kind("it broke", hint="mend it", log="/log").as_dict()
    assert data == {"type": kind.__name__, "message": "it broke", "hint": "mend it", "log": "/log",
                    "exit_code": kind.exit_code}
    again = CpWhisperxError.from_dict(data)
    assert type(again) is kind and again.as_dict() == data


def test_what_another_release_says_is_told_all_the_same() -> None:
    error = CpWhisperxError.from_dict({"type": "Unheard", "message": "of"})
    assert type(error) is StageFailed and error.message == "of"
    assert CpWhisperxError.from_dict({}).message == "an error without a message"


@pytest.mark.parametrize(("number", "says"), [
    (errno.ENOSPC, "no space left on the disk that holds /films"),
    (errno.EDQUOT, "no space left on the disk that holds /films"),
    (errno.EROFS, "/films cannot be written (Read-only file system)"),
    (errno.EACCES, "/films cannot be written (Permission denied)"),
    (errno.EPERM, "/films cannot be written (Operation not permitted)"),
    (errno.EFBIG, "the disk that holds /films takes no file of this size"),
    (errno.EIO, "the disk that holds /films answers with errors"),
])
def test_a_disk_that_takes_nothing_is_said(number: int, says: str) -> None:
    told = no_space(OSError(number, os.strerror(number)), "/films")
    assert isinstance(told, ConfigError)
    assert told.message == says and told.hint


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "none"), OSError("no number"), FileExistsError()])
def test_other_errors_are_no_disk_errors(error: OSError) -> None:
    assert no_space(error, "/films") is None
