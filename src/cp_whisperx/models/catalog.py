"""Reads catalog.toml: which models there are, and which bytes each of them is."""

from __future__ import annotations

import difflib
import functools
import hashlib
import tomllib
from importlib import resources
from typing import Literal

from cp_whisperx.artifacts import Frozen
from cp_whisperx.errors import ConfigError


class ModelFile(Frozen):
    name: str
    size: int
    sha256: str


class Hub(Frozen):
    repository: str
    revision: str


class Member(Frozen):
    file: str
    member: str


class Package(Frozen):
    requirement: str
    sha256: str
    members: tuple[Member, ...]


class Model(Frozen):
    """One entry. `translates`: whether a whisper model knows the task `translate`."""

    name: str
    kind: Literal["whisper", "silero"]
    about: str
    languages: Literal["many", "en"]
    licence: str
    files: tuple[ModelFile, ...]
    translates: bool = False
    hub: Hub | None = None
    packages: tuple[Package, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def digest(self) -> str:
        """One digest for all the files: the identity of the model."""
        listing = "".join(f"{file.name} {file.sha256}\n" for file in sorted(self.files, key=lambda f: f.name))
        return hashlib.sha256(listing.encode()).hexdigest()


@functools.cache
def catalog() -> dict[str, Model]:
    text = resources.files(__package__).joinpath("catalog.toml").read_text(encoding="utf-8")
    return {name: Model(name=name, **entry) for name, entry in tomllib.loads(text).items()}


def find(name: str) -> Model:
    """Raises ConfigError, with the nearest name as the hint, for a model that is not catalogued."""
    models = catalog()
    if name in models:
        return models[name]
    near = difflib.get_close_matches(name, models, n=1)
    hint = f"did you mean {near[0]}?" if near else "`cp-whisperx models list` shows all; a folder works as well"
    raise ConfigError(f"there is no model called {name}", hint=hint)
