"""The written dialogue: who says what, and with which voice."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_SOURCE = Path(__file__).with_name("dialogue.toml")


@dataclass(frozen=True)
class Speaker:
    """A character; `pitch` and `speed` are multipliers of the voice's own."""

    name: str
    voice: str
    pitch: float
    speed: float


@dataclass(frozen=True)
class WrittenLine:
    """One line of the script."""

    speaker: str
    text: str


@dataclass(frozen=True)
class Dialogue:
    """The script: `lines` is the scene itself, `lines_b` the other dialogue for further tracks."""

    speakers: tuple[Speaker, ...]
    lines: tuple[WrittenLine, ...]
    lines_b: tuple[WrittenLine, ...]

    def speaker(self, name: str) -> Speaker:
        """The speaker called `name`."""
        return next(speaker for speaker in self.speakers if speaker.name == name)


@lru_cache(maxsize=1)
def load_dialogue() -> Dialogue:
    """The script of `dialogue.toml`."""
    data = tomllib.loads(_SOURCE.read_text(encoding="utf-8"))
    dialogue = Dialogue(
        speakers=tuple(Speaker(**entry) for entry in data["speaker"]),
        lines=tuple(WrittenLine(**entry) for entry in data["line"]),
        lines_b=tuple(WrittenLine(**entry) for entry in data["line_b"]),
    )
    known = {speaker.name for speaker in dialogue.speakers}
    unknown = {line.speaker for line in dialogue.lines + dialogue.lines_b} - known
    if unknown:
        raise ValueError(f"{_SOURCE.name}: no such speaker: {', '.join(sorted(unknown))}")
    return dialogue
