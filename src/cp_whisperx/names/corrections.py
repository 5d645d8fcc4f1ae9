"""What a person said about the names of one job: names to add, changes to forbid. A small file that they own.

    # names.toml, beside request.json
    add = ["Kuljeet", "Dahisar"]
    veto = ["Simon -> Simran", "Bald Ev -> Baldev @ 77.8"]

A veto holds for the whole film, or, with `@ seconds`, for the one place.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from cp_whisperx import publish
from cp_whisperx.errors import ConfigError

FILE = "names.toml"
_NEAR_S = 2.0
"""Times move a little when a film is heard again."""
_VETO = re.compile(r"(?P<before>\S.*?)\s*(?:->|→)\s*(?P<after>\S.*?)(?:\s*@\s*(?P<at>\d+(?:\.\d+)?))?")
_MAX_BYTES = 1 << 18
_HEAD = "# What you decided about the names of this film; `cp-whisperx names` writes it, and you may edit it.\n"


@dataclass(frozen=True, slots=True)
class Veto:
    """`before` is not to become `after`, anywhere or around `at_s` alone (sample time)."""

    before: str
    after: str
    at_s: float | None = None

    @classmethod
    def parse(cls, text: str) -> Veto:
        """Raises ValueError for what is not of the form `before -> after` or `before -> after @ seconds`."""
        found = _VETO.fullmatch(text.strip())
        if not found:
            raise ValueError(f"{text!r:.80} is no veto: write \"Simon -> Simran\"")
        return cls(found["before"], found["after"], float(found["at"]) if found["at"] else None)

    def __str__(self) -> str:
        return f"{self.before} -> {self.after}" + (f" @ {self.at_s:g}" if self.at_s is not None else "")

    def forbids(self, before: str, after: str, start_s: float) -> bool:
        return (self.before.casefold(), self.after.casefold()) == (before.casefold(), after.casefold()) and (
            self.at_s is None or abs(self.at_s - start_s) <= _NEAR_S)


@dataclass(frozen=True, slots=True)
class Corrections:
    add: tuple[str, ...] = ()
    veto: tuple[Veto, ...] = ()

    def with_added(self, *names: str) -> Corrections:
        return Corrections(tuple(dict.fromkeys((*self.add, *names))), self.veto)

    def with_vetoes(self, *vetoes: Veto) -> Corrections:
        return Corrections(self.add, tuple(dict.fromkeys((*self.veto, *vetoes))))


def read(folder: Path) -> Corrections:
    """Those of a job; none if there is no file. Raises ConfigError with one sentence for one that is not right."""
    path = folder / FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Corrections()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror})", hint=_hint(path)) from None
    try:
        if len(data) > _MAX_BYTES:
            raise ValueError("it is too large")
        found = tomllib.loads(data.decode("utf-8-sig"))
        if unknown := found.keys() - {"add", "veto"}:
            raise ValueError(f"it has {min(unknown)}, and only add and veto are known")
        lists = {name: found.get(name, []) for name in ("add", "veto")}
        for name, values in lists.items():
            if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
                raise ValueError(f"{name} is no list of texts")
        return Corrections(tuple(" ".join(name.split()) for name in lists["add"]),
                           tuple(map(Veto.parse, lists["veto"])))
    except (ValueError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise ConfigError(f"{path} cannot be used: {said}", hint=_hint(path)) from None


def write(folder: Path, corrections: Corrections) -> Path:
    """The file as it is to be, published whole."""
    lines = [f"{name} = [" + ", ".join(json.dumps(str(value), ensure_ascii=False) for value in values) + "]"
             for name, values in (("add", corrections.add), ("veto", corrections.veto))]
    path = folder / FILE
    publish.publish_file(path, (_HEAD + "\n".join(lines) + "\n").encode())
    return path


def _hint(path: Path) -> str:
    return f"correct {path.name}, or delete it: add = [\"Kuljeet\"], veto = [\"Simon -> Simran\"]"
