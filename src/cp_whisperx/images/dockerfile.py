"""A Dockerfile as its instructions: as much of the language as this project's own file uses, and no here-documents."""

from __future__ import annotations

import csv
from dataclasses import dataclass


@dataclass(frozen=True)
class Instruction:
    """`flags` are the leading --options, `rest` is what follows them on one line; `stage` names the build stage."""

    line: int
    stage: str
    word: str
    flags: tuple[str, ...]
    rest: str

    @property
    def mounts(self) -> tuple[dict[str, str], ...]:
        """The --mount flags of a RUN: key and value of each field, `source` and `target` by their long names."""
        return tuple(_mount(flag.removeprefix("--mount=")) for flag in self.flags if flag.startswith("--mount="))

    def flag(self, name: str) -> str | None:
        """The value of --name=value; empty for a flag without one, None where it is absent."""
        for flag in self.flags:
            key, _, value = flag.removeprefix("--").partition("=")
            if key == name:
                return value
        return None


@dataclass(frozen=True)
class From:
    """`parent` is an earlier stage, `scratch` or an image from outside."""

    line: int
    parent: str
    stage: str


def parse(text: str) -> tuple[Instruction, ...]:
    """The instructions in order. A stage without a name is called by its number."""
    found: list[Instruction] = []
    stage, stages, start, pending = "", 0, 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not line.strip() and not pending):
            continue
        start = start if pending else number
        pending += line.strip().removesuffix("\\").strip() + " "
        if line.rstrip().endswith("\\"):
            continue
        word, *parts = pending.split()
        pending = ""
        flags = []
        while parts and parts[0].startswith("--"):
            flags.append(parts.pop(0))
        if word.upper() == "FROM":
            stage = parts[2] if len(parts) > 2 else str(stages)
            stages += 1
        found.append(Instruction(start, stage, word.upper(), tuple(flags), " ".join(parts)))
    return tuple(found)


def stages(instructions: tuple[Instruction, ...]) -> tuple[From, ...]:
    return tuple(From(one.line, one.rest.split()[0], one.stage) for one in instructions if one.word == "FROM")


def context_sources(instructions: tuple[Instruction, ...]) -> dict[str, int]:
    """Paths that are taken from the build context, by COPY, ADD or a bind mount, and the line that takes each."""
    found: dict[str, int] = {}
    for one in instructions:
        if one.word in ("COPY", "ADD") and one.flag("from") is None:
            found |= dict.fromkeys((source.strip("/") or "." for source in one.rest.split()[:-1]), one.line)
        for mount in one.mounts:
            if mount.get("type", "bind") == "bind" and "from" not in mount:
                found[mount.get("source", ".").strip("/") or "."] = one.line
    return found


_LONG = {"src": "source", "dst": "target", "destination": "target"}


def _mount(text: str) -> dict[str, str]:
    fields = (field.partition("=") for field in next(csv.reader([text])))
    return {_LONG.get(key, key): value for key, _, value in fields}
