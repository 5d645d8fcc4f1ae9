"""Reads the tensors of a torch checkpoint without torch, and without running anything that it asks to be run.

A checkpoint is a pickle, which is a program: it may name any callable of Python and have it called. Here it gets
two names that mean something (a dictionary, a view of a storage); all others become inert objects that take
whatever is done to them. Before that, its instructions are listed and refused unless a checkpoint needs them.
Both containers are read: the zip archive and, before torch 1.6, the plain sequence of pickles
(torch/serialization.py of PyTorch describes them).
"""

from __future__ import annotations

import collections
import io
import math
import pickle
import pickletools
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cp_whisperx.errors import EngineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_MOST_PICKLE = 4 << 20
"""Bytes: a hundred times what the checkpoints of small networks need to describe their tensors."""
_MOST_DATA = 1 << 30
_MOST_DIMENSIONS = 8
_OPCODES = frozenset((
    "PROTO", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT",
    "BINUNICODE", "SHORT_BINUNICODE", "EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2",
    "TUPLE3", "EMPTY_DICT", "SETITEM", "SETITEMS", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET", "GLOBAL", "REDUCE",
    "BUILD", "NEWOBJ", "BINPERSID"))
"""All that torch writes (pickle protocol 2)."""
_MEMO = frozenset(("BINPUT", "LONG_BINPUT"))
_TYPES = {"FloatStorage": "<f4", "LongStorage": "<i8", "IntStorage": "<i4", "DoubleStorage": "<f8"}


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    type: str
    count: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """Strides and offset count elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class Checkpoint:
    """The tensors below one dictionary of a checkpoint, by name."""

    def __init__(self, path: Path, section: str) -> None:
        """`section` is empty where the checkpoint is itself that dictionary.

        Raises EngineError if the file is none of the two containers, or asks for what no checkpoint needs.
        """
        self._name = path.name
        self._data: dict[str, bytes] = {}
        try:
            with path.open("rb") as file:
                root, read = _open(file)
                tensors = root.get(section) if section and isinstance(root, dict) else root
                if not isinstance(tensors, dict):
                    raise _Refused(f"it has no {section or 'tensors'}")
                self._tensors = {name: value for name, value in tensors.items() if isinstance(value, _Tensor)}
                for tensor in self._tensors.values():
                    if tensor.storage.key not in self._data:
                        self._data[tensor.storage.key] = read(tensor.storage)
        except _Refused as error:
            raise EngineError(f"{self._name} is not the checkpoint that is wanted: {error}") from error
        except Exception as error:
            # Damage shows as whatever the unpickler or the archive meets first.
            raise EngineError(f"{self._name} is damaged ({type(error).__name__}: {error})") from error

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def tensor(self, name: str, *shape: int) -> NDArray[np.float32]:
        """A float32 copy. Raises EngineError if it is missing or of another shape."""
        import numpy as np

        found = self._tensors.get(name)
        if found is None:
            raise EngineError(f"{self._name} has no tensor {name}")
        if found.shape != shape or found.storage.type != "FloatStorage":
            raise EngineError(f"{self._name}: {name} is {found.storage.type} {found.shape}, not floats {shape}")
        flat = np.frombuffer(self._data[found.storage.key], _TYPES[found.storage.type])
        strides = tuple(4 * stride for stride in found.strides)
        view = np.lib.stride_tricks.as_strided(flat[found.offset:], shape, strides, writeable=False)
        return np.ascontiguousarray(view, np.float32)


class _Refused(Exception):
    pass


_Read = Callable[[_Storage], bytes]


def _open(file: IO[bytes]) -> tuple[Any, _Read]:
    """The unpickled root, and how to read a storage."""
    if zipfile.is_zipfile(file):
        return _open_archive(zipfile.ZipFile(file))
    file.seek(0)
    return _open_sequence(file)


def _open_archive(archive: zipfile.ZipFile) -> tuple[Any, _Read]:
    pickles = [info for info in archive.infolist() if info.filename.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise _Refused("its archive holds no single data.pkl")
    folder = pickles[0].filename.removesuffix("data.pkl")

    def member(name: str, most: int) -> bytes:
        info = archive.getinfo(name)
        # torch stores without compression, so what a member says it holds is what it takes in the file.
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > most:
            raise _Refused(f"{name} is compressed or too large")
        return archive.read(info)

    def read(storage: _Storage) -> bytes:
        return _whole(member(f"{folder}data/{storage.key}", _MOST_DATA), storage)

    root, _ = _unpickle(io.BytesIO(member(pickles[0].filename, _MOST_PICKLE)))
    return root, read


def _open_sequence(file: IO[bytes]) -> tuple[Any, _Read]:
    stream = io.BytesIO(file.read(_MOST_DATA))
    for wanted in (_MAGIC, _PROTOCOL):
        if _unpickle(stream)[0] != wanted:
            raise _Refused("it begins like no checkpoint")
    _unpickle(stream)
    root, storages = _unpickle(stream)
    keys, _ = _unpickle(stream)
    if not isinstance(keys, list):
        raise _Refused("it lists no storages")
    data = {}
    for key in keys:
        if key not in storages:
            raise _Refused(f"the storage {key!r} belongs to no tensor")
        storage = storages[key]
        count, = struct.unpack("<q", stream.read(8))
        if count != storage.count:
            raise _Refused(f"the storage {key} has {count} elements, not {storage.count}")
        data[key] = _whole(stream.read(count * _width(storage)), storage)
    return root, lambda storage: data[storage.key]


def _width(storage: _Storage) -> int:
    return int(_TYPES[storage.type][-1])


def _whole(data: bytes, storage: _Storage) -> bytes:
    if len(data) != storage.count * _width(storage):
        raise _Refused(f"the storage {storage.key} has {len(data)} bytes for {storage.count} elements")
    return data


def _unpickle(stream: io.BytesIO) -> tuple[Any, Mapping[str, _Storage]]:
    """One pickle from where the stream stands, and the storages that it names; the stream then stands behind it."""
    start = stream.tell()
    memo = 0
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name not in _OPCODES:
            raise _Refused(f"its pickle has the instruction {opcode.name}")
        if opcode.name in _MEMO:
            # The unpickler makes room up to the index, whatever it is.
            memo += 1
            if not isinstance(argument, int) or argument > memo:
                raise _Refused("its pickle skips places in its memory")
        if stream.tell() - start > _MOST_PICKLE:
            raise _Refused("its pickle is too large")
    end = stream.tell()
    stream.seek(start)
    reader = _Unpickler(io.BytesIO(stream.read(end - start)))
    root = reader.load()
    return root, reader.storages


class _Unpickler(pickle.Unpickler):
    """Names become stand-ins made for this one reading, so that nothing a pickle does to them outlives it."""

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self.storages: dict[str, _Storage] = {}
        self._names: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): type("OrderedDict", (collections.OrderedDict,), {"__setstate__": _ignore}),
            ("torch._utils", "_rebuild_tensor_v2"): lambda *arguments: _tensor(*arguments[:4]),
        }

    def find_class(self, module: str, name: str) -> Any:
        key = (module, name)
        if key not in self._names:
            self._names[key] = type(name if name.isidentifier() else "unnamed", (_Inert,), {"origin": key})
        return self._names[key]

    def persistent_load(self, pid: Any) -> _Storage:
        if not (isinstance(pid, tuple) and len(pid) >= 5 and pid[0] == "storage"):
            raise _Refused("it refers to something that is no storage")
        module, kind = getattr(pid[1], "origin", ("", ""))
        key, count = pid[2], pid[4]
        if module != "torch" or kind not in _TYPES:
            raise _Refused(f"it has a storage of type {module}.{kind}")
        if not (isinstance(key, str) and key.isascii() and key.isdigit() and type(count) is int and count >= 0):
            raise _Refused("it has a storage without a proper key and length")
        storage = _Storage(key, kind, count)
        if self.storages.setdefault(key, storage) != storage:
            raise _Refused(f"it describes the storage {key} twice, and differently")
        return storage


def _ignore(self: object, state: object) -> None:
    """In the place of __setstate__."""


class _Inert:
    """Stands for every class and function that is not known here: can be made, called and filled, and does nothing."""

    origin = ("", "")

    def __new__(cls, *arguments: object, **named: object) -> _Inert:
        return object.__new__(cls)

    def __init__(self, *arguments: object, **named: object) -> None: ...

    def __call__(self, *arguments: object, **named: object) -> _Inert:
        return self

    def __setstate__(self, state: object) -> None: ...

    def __setitem__(self, key: object, value: object) -> None: ...

    def append(self, value: object) -> None: ...

    def extend(self, values: object) -> None: ...


def _tensor(storage: object, offset: object, shape: object, strides: object) -> _Tensor:
    """A view of a storage; refused unless it lies within it."""
    if not isinstance(storage, _Storage):
        raise _Refused("a tensor has no storage")
    numbers: list[tuple[int, ...]] = []
    for value in ((offset,), shape, strides):
        if not (isinstance(value, tuple) and len(value) <= _MOST_DIMENSIONS
                and all(type(number) is int and number >= 0 for number in value)):
            raise _Refused("a tensor has no proper shape")
        numbers.append(value)
    (start,), sizes, steps = numbers
    last = start + sum((size - 1) * step for size, step in zip(sizes, steps, strict=False))
    if len(sizes) != len(steps) or math.prod(sizes) > storage.count or (all(sizes) and last >= storage.count):
        raise _Refused(f"a tensor reaches beyond the storage {storage.key}")
    return _Tensor(storage, start, sizes, steps)
