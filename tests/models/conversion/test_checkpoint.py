"""Checkpoints as torch writes them are read; whatever else a pickle may ask for is refused, or does nothing."""

from __future__ import annotations

import codecs
import collections
import contextlib
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cp_whisperx.errors import EngineError
from cp_whisperx.models.conversion.checkpoint import Checkpoint
from tests.models.conversion.pickles import (
    REBUILD,
    VALUES,
    Made,
    Named,
    Storage,
    archive,
    pickled,
    sequence,
    state,
    tensor,
)

# What torch writes

@pytest.mark.parametrize("write", [archive, sequence])
def test_tensors_are_read(write: Callable[..., Path], tmp_path: Path) -> None:
    path = write(tmp_path / "c.bin", state(a=tensor(), turned=tensor(shape=(4, 3), strides=(1, 4)),
                                           part=tensor(offset=8, shape=(2,), strides=(1,))))
    found = Checkpoint(path, "state")
    np.testing.assert_array_equal(found.tensor("a", 3, 4), VALUES.reshape(3, 4))
    np.testing.assert_array_equal(found.tensor("turned", 4, 3), VALUES.reshape(3, 4).T)
    np.testing.assert_array_equal(found.tensor("part", 2), [8, 9])


def test_what_is_asked_must_be_there(tmp_path: Path) -> None:
    found = Checkpoint(archive(tmp_path / "c.bin", state()), "state")
    with pytest.raises(EngineError, match=r"c\.bin has no tensor b"):
        found.tensor("b", 1)
    with pytest.raises(EngineError, match=r"a is FloatStorage \(3, 4\), not floats \(12,\)"):
        found.tensor("a", 12)
    with pytest.raises(EngineError, match="it has no weights"):
        Checkpoint(tmp_path / "c.bin", "weights")


# What a hostile file asks for

_RUNS = frozenset(("os.system", "os.exec", "os.fork", "os.posix_spawn", "os.remove", "os.putenv", "exec", "compile",
                   "subprocess.Popen", "socket.connect", "import", "object.__getattr__", "object.__setattr__"))


@contextlib.contextmanager
def watched() -> Iterator[list[str]]:
    """What Python reports of code that is run, processes, imports and reaching into objects."""
    events: list[str] = []
    armed = [True]

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if armed[0] and event in _RUNS:
            events.append(f"{event} {arguments}")

    # Names in archives are in this coding; its first use imports it.
    codecs.lookup("cp437")
    sys.addaudithook(watch)
    try:
        yield events
    finally:
        armed[0] = False


def read(path: Path) -> Checkpoint:
    """Fails if anything happens beyond the reading."""
    with watched() as events:
        try:
            return Checkpoint(path, "state")
        finally:
            assert events == []


GONE = ["touch", "/nonexistent/was-here"]
STUB = Made(Named("pyannote.audio.core.task", "Specifications"), state={"problem": 1})
HOSTILE = {
    "os.system": Made(Named("os", "system"), "exit 3"),
    "posix.system": Made(Named("posix", "system"), "exit 3"),
    "eval": Made(Named("builtins", "eval"), "__import__('os').abort()"),
    "exec of Python 2": Made(Named("__builtin__", "exec"), "import os; os.abort()"),
    "a subprocess": Made(Named("subprocess", "Popen"), GONE),
    "a chain of getattr": Made(Made(Named("builtins", "getattr"), Made(Named("builtins", "__import__"), "os"),  # type: ignore[arg-type]
                                    "system"), "exit 3"),
    "a dotted name": Made(Named("os", "path.os.system"), "exit 3"),
    "torch's own loader": Made(Named("torch", "load"), "/etc/passwd"),
    "code in a stub's state": Made(Named("x", "Y"), state=Made(Named("os", "system"), "exit 3")),
    "a state with slots": Made(Named("x", "Y"), state=(None, {"__class__": 1, "__dict__": 2})),
    "the state of a class": Made(Named("builtins", "setattr"), Named("collections", "OrderedDict"), "get", 1),
    "a call of a call": Made(STUB, "again"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("write", [archive, sequence])
def test_code_is_inert(write: Callable[..., Path], hostile: Any, tmp_path: Path) -> None:
    """The tensors beside it are still read: the object is a stand-in, whatever it was to be."""
    found = read(write(tmp_path / "c.bin", state(extra=hostile)))
    np.testing.assert_array_equal(found.tensor("a", 3, 4), VALUES.reshape(3, 4))


def test_nothing_of_one_reading_is_left_for_the_next(tmp_path: Path) -> None:
    """The stand-ins themselves are filled and given attributes, and thrown away."""
    spoilt = pickled([Named("collections", "OrderedDict"), REBUILD])[:-1]
    fill = pickled((None, {"__setitem__": 7, "keys": 8}))[2:-1]
    archive(tmp_path / "spoilt.bin", None, raw=spoilt + b"0" + pickled(Named("collections", "OrderedDict"))[2:-1]
            + fill + b"b.")
    with pytest.raises(EngineError):
        Checkpoint(tmp_path / "spoilt.bin", "state")
    assert callable(collections.OrderedDict.keys)
    ordered = Made(Named("collections", "OrderedDict"), [["a", tensor()]])
    found = Checkpoint(archive(tmp_path / "c.bin", {"state": ordered}), "state")
    assert found.tensor("a", 3, 4).shape == (3, 4)


class Reduces:
    def __reduce__(self) -> tuple[Any, ...]:
        return subprocess.Popen, (GONE,)


REFUSED = {
    "an instruction of newer pickles": (pickle.dumps({"state": {}}, 4), "the instruction FRAME"),
    "protocol 4 without a frame": (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "the instruction STACK_GLOBAL"),
    "protocol 0": (b"cos\nsystem\n(S'exit 3'\ntR.", "the instruction STRING"),
    "INST": (b"(S'exit 3'\nios\nsystem\n.", "the instruction STRING"),
    "an extension code": (b"\x80\x02\x82\x01.", "the instruction EXT1"),
    "a place far off in memory": (b"\x80\x02}r\xff\xff\xff\x7f.", "skips places"),
    "no pickle": (b"hello", r"c\.bin is "),
    "nothing": (b"", "is damaged"),
    "cut off": (pickled(state())[:-20], "is damaged"),
    "a string of 4 GB": (b"\x80\x02X\xff\xff\xff\xffabc.", "is damaged"),
    "a list": (pickled([1, 2]), "it has no state"),
    "a stub for the root": (pickled(Made(Named("a", "B"))), "it has no state"),
    "too many instructions": (b"\x80\x02" + b"N0" * (3 << 20) + b"N.", "too large"),
}


@pytest.mark.parametrize(("raw", "says"), REFUSED.values(), ids=REFUSED)
def test_what_no_checkpoint_needs_is_refused(raw: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=says) as caught:
        read(archive(tmp_path / "c.bin", None, raw=raw))
    assert "\n" not in caught.value.message


def test_a_reduce_into_a_process_is_inert(tmp_path: Path) -> None:
    """As anybody would write it, with the standard pickler."""
    raw = pickle.dumps({"state": {}, "x": Reduces()}, 2)
    read(archive(tmp_path / "c.bin", None, raw=raw))


TENSORS = {
    "beyond the storage": tensor(shape=(3, 5), strides=(5, 1)),
    "far beyond": tensor(shape=(1 << 40,), strides=(1,)),
    "an offset beyond": tensor(offset=1),
    "a negative offset": tensor(offset=-1),
    "strides that repeat one element a billion times": tensor(shape=(1 << 30,), strides=(0,)),
    "a stride beyond": tensor(shape=(2,), strides=(12,)),
    "a negative stride": tensor(shape=(2,), strides=(-1,)),
    "a shape of text": tensor(shape=("3", "4")),
    "a shape that is a list": tensor(shape=[3, 4]),
    "a truth for a size": tensor(shape=(True, 4)),
    "nine dimensions": tensor(shape=(1,) * 9, strides=(1,) * 9),
    "more sizes than strides": tensor(shape=(3, 4), strides=(4,)),
    "no storage": tensor(storage="0"),
    "a storage of an unknown type": tensor(Storage(kind="FunkyStorage")),
    "a storage of another library": tensor(Storage(module="os")),
    "a key that is a path": tensor(Storage(key="../../../etc/passwd")),
    "a key with a digit of another script": tensor(Storage(key="०")),
    "a key that is a number": tensor(Storage(key=0)),
    "a negative length": tensor(Storage(count=-1)),
    "a length that is text": tensor(Storage(count="12")),
    "a length that is not that of the data": tensor(Storage(count=11), shape=(11,), strides=(1,)),
    "a storage that is not there": tensor(Storage(key="7")),
}


@pytest.mark.parametrize("bad", TENSORS.values(), ids=TENSORS)
@pytest.mark.parametrize("write", [archive, sequence])
def test_a_tensor_lies_within_its_storage(write: Callable[..., Path], bad: Made, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"c\.bin is (not the checkpoint|damaged)"):
        Checkpoint(write(tmp_path / "c.bin", state(bad=bad)), "state")


def test_one_storage_has_one_description(tmp_path: Path) -> None:
    twice = state(a=tensor(), b=tensor(Storage(count=6), shape=(6,), strides=(1,)))
    with pytest.raises(EngineError, match="describes the storage 0 twice"):
        Checkpoint(archive(tmp_path / "c.bin", twice), "state")


# What a hostile container does

def test_a_compressed_member_is_refused(tmp_path: Path) -> None:
    """A zip bomb is one; torch compresses nothing."""
    bomb = archive(tmp_path / "c.bin", state(), bytes(64 << 20), compression=zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(EngineError, match="compressed or too large"):
        Checkpoint(bomb, "state")


def test_names_in_the_archive_lead_nowhere(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "c.bin", "w") as target:
        target.writestr("../../evil/data.pkl", pickled(state()))
        target.writestr("../../evil/data/0", VALUES.tobytes())
    Checkpoint(tmp_path / "c.bin", "state")
    assert [path.name for path in tmp_path.iterdir()] == ["c.bin"]
    with zipfile.ZipFile(tmp_path / "c.bin", "a") as target:
        target.writestr("other/data.pkl", b"")
    with pytest.raises(EngineError, match=r"no single data\.pkl"):
        Checkpoint(tmp_path / "c.bin", "state")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("write", [archive, sequence])
def test_a_file_cut_off_anywhere_is_damaged(write: Callable[..., Path], share: float, tmp_path: Path) -> None:
    path = write(tmp_path / "c.bin", state())
    os.truncate(path, int(path.stat().st_size * share))
    with pytest.raises(EngineError, match=r"c\.bin is"):
        Checkpoint(path, "state")


LEGACY = {
    "another count": {"count": 11},
    "a huge count": {"count": 1 << 60},
    "a negative count": {"count": -5},
    "a key of nobody": {"keys": ("0", "9")},
    "a key that cannot be one": {"keys": ([],)},
    "no data": {"data": b""},
}


@pytest.mark.parametrize("change", LEGACY.values(), ids=LEGACY)
def test_a_wrong_list_of_storages_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"c\.bin is"):
        Checkpoint(sequence(tmp_path / "c.bin", state(), **change), "state")


def test_the_watch_sees_what_it_is_to_see() -> None:
    """The standard unpickler runs what the tests above hand to ours."""
    with watched() as events:
        pickle.loads(pickled(Made(Named("builtins", "eval"), "1 + 1")))  # noqa: S301
    assert any(event.startswith("exec") for event in events)
