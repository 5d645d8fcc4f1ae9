"""What the report is made of, in film time, seconds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from cp_whisperx.timeline import Cue, Span, Turn


class RuleFinding(Protocol):
    """`cue` counts from 1, 0 where the fault is that there is none; `value` is what it came to, in words."""

    @property
    def cue(self) -> int: ...
    @property
    def value(self) -> str: ...


class RuleOutcome(Protocol):
    """What a validator says of one rule; `limit` and `about` in words for a person."""

    @property
    def rule(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def limit(self) -> str: ...
    @property
    def result(self) -> Literal["passed", "failed", "not checked", "off"]: ...
    @property
    def findings(self) -> Sequence[RuleFinding]: ...
    @property
    def reason(self) -> str: ...


@dataclass(frozen=True)
class Drop:
    """Text that a guard did not believe."""

    start: float
    end: float
    text: str
    guard: str
    reason: str
    hearing: int = 1


@dataclass(frozen=True)
class Change:
    """A name that was repaired, or that a person wanted left alone (`vetoed`)."""

    start: float
    before: str
    after: str
    reason: str
    score: float
    vetoed: bool = False


@dataclass(frozen=True)
class Voice:
    """A speaker as shown, and when."""

    label: str
    turns: tuple[Span, ...] = ()

    @classmethod
    def of(cls, turns: Sequence[Turn], names: Mapping[str, str | None]) -> tuple[Voice, ...]:
        """Speakers by first word."""
        by_label: dict[str, list[Span]] = {}
        for turn in sorted(turns):
            by_label.setdefault(turn.speaker, []).append(Span(turn.start, turn.end))
        return tuple(cls(names.get(label) or label, tuple(spans)) for label, spans in by_label.items())


@dataclass(frozen=True)
class QcData:
    """All that the report shows. What was not looked for is None or empty, and the report says so.

    `peaks`: one byte per 1 / PEAKS_PER_S of film time, the square root of the loudest sample of it, 255 for full scale.
    `speeds`: characters per second of each cue, in their order; `speed_limit` the profile's.
    """

    film: str
    language: str
    profile: str
    duration_s: float
    cues: tuple[Cue, ...]
    rules: tuple[RuleOutcome, ...]
    speeds: tuple[float, ...] = ()
    speed_limit: float | None = None
    speech: tuple[Span, ...] = ()
    unheard: tuple[Span, ...] = ()
    songs: tuple[Span, ...] = ()
    cuts: tuple[float, ...] | None = None
    voices: tuple[Voice, ...] = ()
    dropped: tuple[Drop, ...] = ()
    changes: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()
    peaks: bytes = b""

    def broken(self) -> dict[int, list[str]]:
        """Rules that each cue breaks, by its number."""
        found: dict[int, list[str]] = {}
        for outcome in self.rules:
            for finding in (one for one in outcome.findings if one.cue):
                limit = f" (limit {outcome.limit})" if outcome.limit else ""
                found.setdefault(finding.cue, []).append(f"{outcome.about}: {finding.value}{limit}")
        return found

    @property
    def pass_rate(self) -> float:
        return 1 - len(self.broken()) / len(self.cues) if self.cues else 1.0

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, without the peaks."""
        def spans(items: Sequence[Span]) -> list[list[float]]:
            return [[round(item.start, 3), round(item.end, 3)] for item in items]

        broken = self.broken()
        return {
            "film": self.film, "language": self.language, "profile": self.profile,
            "duration_s": round(self.duration_s, 3), "cues_that_pass": round(self.pass_rate, 4),
            "chars_per_s": {"median": round(statistics.median(self.speeds), 2) if self.speeds else None,
                            "limit": self.speed_limit},
            "cues": [{"start": cue.start, "end": cue.end, "lines": list(cue.lines),
                      "cps": round(speed, 1) if speed is not None else None, "breaks": broken.get(number, []),
                      # What could not be kept, as the code that made the cue says of itself.
                      "no_room": [f"{one.rule} {one.value:g}, limit {one.limit:g}" for one in cue.breaches]}
                     for number, (cue, speed) in enumerate(
                         zip(self.cues, self.speeds or [None] * len(self.cues), strict=True), start=1)],
            "rules": [{"rule": one.rule, "about": one.about, "limit": one.limit, "result": one.result,
                       "reason": one.reason, "count": len(one.findings),
                       "findings": [{"cue": finding.cue, "value": finding.value} for finding in one.findings]}
                      for one in self.rules],
            "speech": spans(self.speech), "unheard": spans(self.unheard), "songs": spans(self.songs),
            "cuts": None if self.cuts is None else [round(cut, 3) for cut in self.cuts],
            "speakers": [{"label": voice.label, "turns": spans(voice.turns)} for voice in self.voices],
            "dropped": [vars(drop) for drop in self.dropped],
            "names": [vars(change) for change in self.changes],
            "warnings": list(self.warnings),
        }
