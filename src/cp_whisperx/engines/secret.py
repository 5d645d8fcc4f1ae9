"""The key of a catalogue: from the environment or from a file, never from a flag, a setting or a job."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from cp_whisperx.errors import ConfigError

_MAX_BYTES = 8192
_FILE = "_FILE"
_SHAPE = re.compile(r"[A-Za-z0-9._~+/=-]{8,4096}")


def configured(names: tuple[str, ...], environment: Mapping[str, str] | None = None) -> bool:
    """True if one of the variables, or one with `_FILE` behind its name, has a value."""
    environment = os.environ if environment is None else environment
    return any(environment.get(name) or environment.get(name + _FILE) for name in names)


def read(names: tuple[str, ...], environment: Mapping[str, str] | None = None) -> str:
    """The secret in the first variable that has one, or in the file that `<NAME>_FILE` names; "" if there is none.

    Raises ConfigError, which tells the variable and never its value.
    """
    environment = os.environ if environment is None else environment
    for name in names:
        if text := environment.get(name, "").strip():
            return _checked(text, f"${name}")
        if path := environment.get(name + _FILE, ""):
            return _checked(_from_file(Path(path).expanduser(), name + _FILE), f"the file that ${name + _FILE} names")
    return ""


def _from_file(path: Path, name: str) -> str:
    try:
        if not path.is_file():
            raise ConfigError(f"there is no file at what ${name} names", hint="check the variable")
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8-sig").strip()
    except (OSError, ValueError):
        raise ConfigError(f"the file that ${name} names cannot be read", hint="check that you may read it") from None


def _checked(text: str, where: str) -> str:
    if not _SHAPE.fullmatch(text):
        raise ConfigError(f"{where} holds no key: a key is one word of letters and digits",
                          hint="copy it again from the page of your account")
    return text
