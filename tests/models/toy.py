"""A model of a few bytes, and a source that brings it, rightly or wrongly."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cp_whisperx.models.catalog import Hub, Model, ModelFile

BYTES: Mapping[str, bytes] = {"config.json": b"{}", "model.bin": bytes(range(256)) * 64, "tokenizer.json": b"[1]"}


def model_of(files: Mapping[str, bytes], name: str = "toy") -> Model:
    return Model(name=name, kind="whisper", about="a few bytes", languages="many", licence="MIT",
                 hub=Hub(repository="somebody/toy", revision="0123456789" * 4),
                 files=tuple(ModelFile(name=file, size=len(data), sha256=hashlib.sha256(data).hexdigest())
                             for file, data in files.items()))


@dataclass
class Given:
    """Brings `files`, whether they are the right ones or not; counts in a file, so that processes share the count."""

    counter: Path
    files: Mapping[str, bytes] = field(default_factory=lambda: BYTES)
    error: Exception | None = None
    name: str = "given"

    def offers(self, model: Model) -> bool:
        return True

    def describe(self, model: Model) -> str:
        return "a test"

    def fetch(self, model: Model, folder: Path) -> None:
        with self.counter.open("a") as file:
            file.write("+")
        for name, data in self.files.items():
            (folder / name).write_bytes(data)
        if self.error:
            raise self.error

    @property
    def count(self) -> int:
        return self.counter.stat().st_size if self.counter.exists() else 0
