"""Reads MessagePack (its specification, msgpack/spec.md), with the arrays that spaCy writes into it. Runs no code."""

from __future__ import annotations

import struct
from typing import Any

from cp_whisperx.errors import EngineError

_FIXED = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
          0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
_CONSTANT = {0xC0: None, 0xC2: False, 0xC3: True}
_BINARY = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I"}
_TEXT = {0xD9: ">B", 0xDA: ">H", 0xDB: ">I"}
_ARRAY = {0xDC: ">H", 0xDD: ">I"}
_MAP = {0xDE: ">H", 0xDF: ">I"}


def unpack(data: bytes) -> Any:
    """The one value in `data`; numpy arrays, marked as msgpack-numpy marks them, come as arrays.

    Raises EngineError for what is cut off or no MessagePack.
    """
    reader = _Reader(data)
    try:
        value = reader.value()
    except (struct.error, IndexError, KeyError, UnicodeDecodeError, ValueError, TypeError, RecursionError) as error:
        raise EngineError(f"a model file cannot be read as MessagePack ({error})",
                          hint="run: cp-whisperx models verify") from error
    if reader.at != len(data):
        raise EngineError("a model file has bytes behind its end", hint="run: cp-whisperx models verify")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def value(self) -> Any:
        tag = self._data[self.at]
        self.at += 1
        if tag <= 0x7F:
            return tag
        if tag >= 0xE0:
            return tag - 0x100
        if tag <= 0x8F:
            return self._map(tag & 0x0F)
        if tag <= 0x9F:
            return [self.value() for _ in range(tag & 0x0F)]
        if tag <= 0xBF:
            return self._take(tag & 0x1F).decode("utf-8")
        if tag in _CONSTANT:
            return _CONSTANT[tag]
        if tag in _FIXED:
            return self._number(_FIXED[tag])
        if tag in _BINARY:
            return self._take(self._number(_BINARY[tag]))
        if tag in _TEXT:
            return self._take(self._number(_TEXT[tag])).decode("utf-8")
        if tag in _ARRAY:
            return [self.value() for _ in range(self._number(_ARRAY[tag]))]
        if tag in _MAP:
            return self._map(self._number(_MAP[tag]))
        raise ValueError(f"the type {tag:#04x} is not known here")

    def _map(self, size: int) -> Any:
        found = {self.value(): self.value() for _ in range(size)}
        return _array(found) if found.get(b"nd") or found.get("nd") else found

    def _number(self, form: str) -> Any:
        (number,) = struct.unpack(form, self._take(struct.calcsize(form)))
        return number

    def _take(self, size: int) -> bytes:
        if self.at + size > len(self._data):
            raise ValueError("it is cut off")
        self.at += size
        return self._data[self.at - size:self.at]


def _array(found: dict[Any, Any]) -> Any:
    import numpy as np

    fields = {key.decode() if isinstance(key, bytes) else key: value for key, value in found.items()}
    kind = np.dtype(fields["type"])
    if kind.hasobject:
        raise ValueError("an array of objects")
    return np.frombuffer(fields["data"], kind).reshape(fields["shape"])
