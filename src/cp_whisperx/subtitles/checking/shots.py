"""Rules about shot changes. A cut is the time of the first picture of a shot; distances are in whole frames.

Between two cuts near each other not every rule can hold at once: an in-cue on any cut, and an out-cue just where it
belongs before any cut, is right whatever else is near.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from cp_whisperx.subtitles.checking.report import Finding
from cp_whisperx.subtitles.checking.subject import Subject, us

_FAR = 1 << 40


def in_after(subject: Subject) -> Iterator[Finding]:
    limit = subject.frames_at_24(subject.profile.shot_in_after_frames)
    for number, cue in subject.numbered():
        behind, ahead = near(subject, cue.start)
        if 0 < behind < limit and behind <= ahead:
            yield Finding(number, f"{behind} frames after")


def in_before(subject: Subject) -> Iterator[Finding]:
    after = subject.frames_at_24(subject.profile.shot_in_after_frames)
    limit = subject.frames_at_24(max(subject.profile.shot_in_near_frames, subject.profile.shot_in_far_frames))
    for number, cue in subject.numbered():
        behind, ahead = near(subject, cue.start)
        if behind and ahead < limit and not (behind < after and behind <= ahead):
            yield Finding(number, f"{ahead} frames before")


def out_before(subject: Subject) -> Iterator[Finding]:
    limit = subject.profile.shot_out_before_frames
    for number, cue in subject.numbered():
        behind, ahead = near(subject, cue.end)
        if behind == 0:
            yield Finding(number, "on the cut")
        elif ahead < limit:
            yield Finding(number, f"{ahead} frames before")


def out_after(subject: Subject) -> Iterator[Finding]:
    limit = subject.frames_at_24(subject.profile.shot_out_after_frames)
    before = subject.profile.shot_out_before_frames
    for number, cue in subject.numbered():
        behind, ahead = near(subject, cue.end)
        if 0 < behind < limit and ahead > before:
            yield Finding(number, f"{behind} frames after")


def near(subject: Subject, seconds: float) -> tuple[int, int]:
    """Whole frames since the last cut at or before a time, and until the next one after it."""
    cuts = subject.cuts or ()
    # A time rounded down lies just before the cut that it means: half a frame decides.
    position = bisect_right(cuts, seconds + 0.5 / subject.frame_rate)
    behind = subject.frames(us(seconds) - us(cuts[position - 1])) if position else _FAR
    ahead = subject.frames(us(cuts[position]) - us(seconds)) if position < len(cuts) else _FAR
    return max(0, behind), ahead
