"""What a recogniser gave, doubted: hallucinations found, lost speech found, each with its reason.

Every guard is one function `(segment, context) -> Doubt | None` of its own; `GUARDS` is the order in which they are
asked, and the first doubt counts. A guard never looks at what another one said. To add one: write it beside its kind
(`text`, `sound`, `repeats`), put it in the table, and give it cases for both answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cp_whisperx.guards.context import Context, Doubt, HeardSound, Sound, Verdict, usual_logprob
from cp_whisperx.guards.repeats import duplicate, echo
from cp_whisperx.guards.sound import confidence, faintness, silence, speed
from cp_whisperx.guards.text import ghost, loop, punctuation, tag
from cp_whisperx.timeline import Segment

__all__ = ["FAINT_GUARDS", "GUARDS", "Context", "Doubt", "Guard", "HeardSound", "Judged", "Sound", "Verdict", "judge",
           "usual_logprob"]

Guard = Callable[[Segment, Context], Doubt | None]

GUARDS: Mapping[str, Guard] = {
    "punctuation": punctuation,
    "tag": tag,
    "silence": silence,
    "loop": loop,
    "ghost": ghost,
    "duplicate": duplicate,
    "echo": echo,
    "speed": speed,
    "confidence": confidence,
}
"""By name, the surest first."""


FAINT_GUARDS: Mapping[str, Guard] = {**GUARDS, "faintness": faintness}
"""For what a lower threshold took for speech."""

_NEAR = 20
"""Segments before and after that a guard sees."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A segment with the name of the guard that doubts it; both are empty for what is believed."""

    segment: Segment
    guard: str = ""
    doubt: Doubt | None = None


def judge(segments: Sequence[Segment], sound: Sound, *, usual: float | None = None,
          faint: bool = False) -> tuple[Judged, ...]:
    """Asks the guards about each of `segments`, which are in their order in the film.

    `usual` is the film's usual log probability, that of `segments` if it is not given.
    """
    usual = usual_logprob(segments) if usual is None else usual
    guards = FAINT_GUARDS if faint else GUARDS
    result = []
    for position, segment in enumerate(segments):
        context = Context(sound, usual, tuple(segments[max(0, position - _NEAR):position]),
                          tuple(segments[position + 1:position + 1 + _NEAR]))
        doubts = ((name, guard(segment, context)) for name, guard in guards.items())
        name, doubt = next(((name, doubt) for name, doubt in doubts if doubt), ("", None))
        result.append(Judged(segment, name, doubt))
    return tuple(result)
