"""requirements/<layer>.txt as requirements/lock writes them: pins with hashes, some of them for some systems only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cp_whisperx.errors import ArtifactInvalid

_PIN = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?(?:==(?P<version>[^\s;\\]+))?"
                  r"[^;\\]*?(?:;(?P<marker>(?:(?!--hash).)*?))?\s*(?P<rest>(?:--hash=\S+\s*)*)$")
_TERM = re.compile(r"(\w+) (==|!=|<=|>=|<|>) '([^']*)'")

IMAGE = {"python_full_version": "3.11.2", "python_version": "3.11", "sys_platform": "linux", "os_name": "posix",
         "platform_system": "Linux", "platform_machine": "x86_64", "implementation_name": "cpython",
         "platform_python_implementation": "CPython"}
"""The system inside the images, in the words of dependency markers."""


@dataclass(frozen=True, slots=True)
class Pin:
    """`name` is in its normal form (lower case, hyphens); `marker` is empty for every system."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    @property
    def wanted(self) -> bool:
        """Whether the images install it. Raises ArtifactInvalid for a marker of a kind that locks do not have."""
        if not self.marker:
            return True
        return any(all(_holds(term) for term in part.split(" and ")) for part in self.marker.split(" or "))


def read(clone: Path, layer: str) -> tuple[Pin, ...]:
    return parse((clone / "requirements" / f"{layer}.txt").read_text(encoding="utf-8"))


def parse(text: str) -> tuple[Pin, ...]:
    """Every requirement, also one that lacks what a lock should have."""
    return tuple(_pins(re.sub(r"\\\n\s*", " ", text)))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pins(text: str) -> Iterator[Pin]:
    for line in text.splitlines():
        line = line.split(" #")[0].strip()
        if line and not line.startswith(("#", "-")) and (found := _PIN.match(line)):
            yield Pin(normal(found["name"]), found["version"] or "", (found["marker"] or "").strip(),
                      tuple(re.findall(r"--hash=(sha256:[0-9a-f]{64})", line)))


def _holds(term: str) -> bool:
    found = _TERM.fullmatch(term.strip(" ()"))
    if not found or found[1] not in IMAGE:
        raise ArtifactInvalid(f"a lock has a marker that is not understood: {term}",
                              hint="make the locks anew: requirements/lock")
    left, right = _ordered(IMAGE[found[1]]), _ordered(found[3])
    return {"==": left == right, "!=": left != right, "<": left < right, "<=": left <= right,
            ">": left > right, ">=": left >= right}[found[2]]


def _ordered(value: str) -> tuple[int | str, ...]:
    """Versions in numbers, so that 3.9 is before 3.11; words as they are."""
    return tuple(map(int, value.split("."))) if re.fullmatch(r"[\d.]+", value) else (value,)
