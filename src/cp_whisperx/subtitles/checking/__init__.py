"""The validator: cues of any origin against a profile. It shares nothing with the code that makes cues.

From the profile it has the numbers, and from `text` the count of characters as a reader sees them; times, frames and
cuts are worked out anew here, so that a fault on one side does not hide on the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from cp_whisperx.subtitles.checking.report import NO_CUE, Finding, Outcome, Report
from cp_whisperx.subtitles.checking.rules import RULES
from cp_whisperx.subtitles.checking.subject import Subject
from cp_whisperx.subtitles.profiles import Profile
from cp_whisperx.timeline import Cue, Span

__all__ = ("ASSUMED_FRAME_RATE", "NO_CUE", "RULES", "Finding", "Outcome", "Report", "check")

ASSUMED_FRAME_RATE = 24.0


def check(cues: Sequence[Cue], profile: Profile, *, frame_rate: float | None = None,
          cuts: Sequence[float] | None = None, speech: Sequence[Span] | None = None, language: str = "und",
          resolution_s: float = 0.001) -> Report:
    """Every rule of the profile, for the cues in the order of their file.

    `cuts`: times of the first pictures of shots, film time; None if nobody looked, and then the rules that need them
    are not checked. So with `speech`, where it is heard. Without `frame_rate` frames are counted at 24 per second.
    `resolution_s` is the smallest step of the file's times. A time written in such steps is less than one step off the
    one that was meant, and so is the difference of two: a limit is broken by a whole step or more, not by less.
    """
    subject = Subject(tuple(cues), profile, frame_rate or ASSUMED_FRAME_RATE, resolution_s,
                      None if cuts is None else tuple(sorted(cuts)),
                      None if speech is None else tuple(sorted(speech)), language)
    return Report(profile.name, len(subject.cues), subject.frame_rate, frame_rate is not None,
                  tuple(rule.outcome(subject) for rule in RULES))
