"""Writes checkpoints as torch would, and such as nobody should."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

VALUES = np.arange(12, dtype="<f4")


class Named:
    """Pickles as a global of any name, whether there is one or not."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Made:
    """Pickles as a call, or as an object that is made and then filled."""

    def __init__(self, call: Named, *arguments: Any, state: Any = None) -> None:
        self.call, self.arguments, self.state = call, arguments, state


class Storage:
    def __init__(self, key: Any = "0", count: Any = 12, kind: str = "FloatStorage", module: str = "torch") -> None:
        self.pid = ("storage", Named(module, kind), key, "cpu", count)


REBUILD = Named("torch._utils", "_rebuild_tensor_v2")


def tensor(storage: Any = None, offset: Any = 0, shape: Any = (3, 4), strides: Any = (4, 1)) -> Made:
    hooks = Made(Named("collections", "OrderedDict"))
    return Made(REBUILD, storage or Storage(), offset, shape, strides, False, hooks)


class Writer(pickle._Pickler):  # type: ignore[name-defined, misc]
    """Python's own pickler, since the one in C looks names up before it writes them."""

    def save(self, value: Any, save_persistent_id: bool = True) -> None:
        if isinstance(value, Named):
            self.write(b"c" + f"{value.module}\n{value.name}\n".encode())
        elif isinstance(value, Made):
            self.save(value.call)
            self.save(value.arguments)
            self.write(b"R")
            if value.state is not None:
                self.save(value.state)
                self.write(b"b")
        elif isinstance(value, Storage):
            self.save(value.pid)
            self.write(b"Q")
        else:
            super().save(value, save_persistent_id)


def pickled(value: Any) -> bytes:
    stream = io.BytesIO()
    Writer(stream, 2).dump(value)
    return stream.getvalue()


def archive(path: Path, root: Any, data: bytes = VALUES.tobytes(), *, raw: bytes | None = None,
            compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as target:
        target.writestr("archive/data.pkl", pickled(root) if raw is None else raw)
        target.writestr("archive/data/0", data)
    return path


def sequence(path: Path, root: Any, *, keys: Any = ("0",), count: int = 12, data: bytes = VALUES.tobytes()) -> Path:
    parts = [pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    path.write_bytes(b"".join([*parts, pickled(root), pickle.dumps(list(keys), 2), struct.pack("<q", count), data]))
    return path


def state(*, extra: Any = None, **tensors: Any) -> dict[str, Any]:
    return {"state": tensors or {"a": tensor()}, "extra": extra}
