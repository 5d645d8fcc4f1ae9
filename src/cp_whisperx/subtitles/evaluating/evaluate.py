"""One system's subtitles against a reference. What the reference does not know is None, not a number."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from cp_whisperx.scoring.diarization import diarization_error
from cp_whisperx.subtitles.checking import Report
from cp_whisperx.subtitles.evaluating.normalise import words_of
from cp_whisperx.subtitles.evaluating.reference import Reference, merged
from cp_whisperx.timeline import Cue, Span, Turn


@dataclass(frozen=True)
class Offsets:
    """Distances in frames of `count` cues from the times of the reference; late is positive.

    `median` and `p95` are of their sizes, `bias` is the median with the sign. `early` and `late` are the shares of cues
    that are more than a frame off: a cue that goes out late may do so to be read, one that goes out early is cut short.
    """

    count: int
    median: float
    p95: float
    bias: float
    early: float
    late: float


@dataclass(frozen=True)
class Names:
    """Occurrences of names: in the reference, right in the text, and in the text but not in the reference."""

    expected: int
    right: int
    extra: int
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Evaluation:
    """`wer` and `cer` are shares (code points for `cer`), `der` at two collars; `in_cue` and `out_cue` in frames.

    `profile` is the one by whose rules `cues_that_pass` and `rules` were counted.
    `uncovered_s` are seconds in which the reference has speech and no cue is shown, of its `speech_s`.
    """

    cues: int
    wer: float | None = None
    cer: float | None = None
    words: dict[str, int] = field(default_factory=dict)
    der: float | None = None
    der_collar: float | None = None
    in_cue: Offsets | None = None
    out_cue: Offsets | None = None
    speech_s: float | None = None
    uncovered_s: float | None = None
    profile: str | None = None
    cues_that_pass: float | None = None
    rules: dict[str, int] = field(default_factory=dict)
    names: Names | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


COLLAR_S = 0.25
_ON_TIME = 1.0 + 1e-6
"""Frame."""


def evaluate(cues: Sequence[Cue], reference: Reference, *, turns: Sequence[Turn] = (), frame_rate: float = 24.0,
             report: Report | None = None, names: Sequence[str] = (), spell_numbers: bool = False) -> Evaluation:
    """`turns` are those that the system found (its RTTM, or the speakers of its cues); `report` is its check."""
    heard = [words_of(" ".join(cue.lines), spell_numbers=spell_numbers) for cue in cues]
    measured: dict[str, Any] = {}
    if reference.text:
        said = [words_of(one.text, spell_numbers=spell_numbers) for one in reference.utterances]
        measured |= _words(said or [words_of(reference.text, spell_numbers=spell_numbers)], heard)
        if reference.utterances:
            measured |= _times(reference, said, cues, heard, frame_rate)
    if reference.turns and turns:
        measured["der"] = diarization_error(reference.turns, turns).rate
        measured["der_collar"] = diarization_error(reference.turns, turns, collar_s=COLLAR_S).rate
    if reference.speech:
        measured["speech_s"] = round(sum(span.duration for span in reference.speech), 3)
        measured["uncovered_s"] = round(_uncovered(reference.speech, cues), 3)
    if report is not None:
        measured["profile"] = report.profile
        measured["cues_that_pass"] = report.pass_rate
        measured["rules"] = report.counts()
    if names and reference.text:
        measured["names"] = _names(names, words_of(reference.text), [word for cue in heard for word in cue])
    return Evaluation(len(cues), **measured)


def turns_of(cues: Sequence[Cue]) -> tuple[Turn, ...]:
    """Who speaks when, as far as cues say it; empty if one does not."""
    made = [Turn(cue.start, cue.end, speaker) for cue in cues if cue.end > cue.start
            for speaker in dict.fromkeys(cue.speakers)]
    complete = all(cue.speakers and all(cue.speakers) for cue in cues)
    return tuple(sorted(made)) if complete else ()


def _words(said: Sequence[Sequence[str]], heard: Sequence[Sequence[str]]) -> dict[str, Any]:
    import jiwer

    reference = " ".join(word for one in said for word in one)
    hypothesis = " ".join(word for one in heard for word in one)
    if not reference:
        return {}
    found = jiwer.process_words(reference, hypothesis)
    return {"wer": float(found.wer), "cer": float(jiwer.cer(reference, hypothesis)),
            "words": {"reference": len(reference.split()), "substituted": found.substitutions,
                      "deleted": found.deletions, "inserted": found.insertions}}


def _times(reference: Reference, said: Sequence[Sequence[str]], cues: Sequence[Cue], heard: Sequence[Sequence[str]],
           frame_rate: float) -> dict[str, Any]:
    """Only where both begin (or end) with the same word: a cue may begin in the middle of an utterance."""
    pairs = _aligned([word for one in said for word in one], [word for one in heard for word in one])
    first_heard, last_heard = _edges(heard)
    first_said, last_said = _edges(said)
    late_in = [cues[first_heard[pairs[position]]].start - reference.utterances[number].start
               for position, number in first_said.items() if pairs.get(position) in first_heard]
    late_out = [cues[last_heard[pairs[position]]].end - reference.utterances[number].end
                for position, number in last_said.items() if pairs.get(position) in last_heard]
    return {"in_cue": _offsets(late_in, frame_rate), "out_cue": _offsets(late_out, frame_rate)}


def _edges(parts: Sequence[Sequence[str]]) -> tuple[dict[int, int], dict[int, int]]:
    """Number of the part by the position of its first word, and by that of its last one."""
    first, last = {}, {}
    position = 0
    for number, part in enumerate(parts):
        if part:
            first[position], last[position + len(part) - 1] = number, number
        position += len(part)
    return first, last


def _aligned(said: Sequence[str], heard: Sequence[str]) -> dict[int, int]:
    """Positions of words that stand for each other, equal or substituted."""
    import jiwer

    if not said or not heard:
        return {}
    found = jiwer.process_words(" ".join(said), " ".join(heard))
    return {part.ref_start_idx + step: part.hyp_start_idx + step for part in found.alignments[0]
            if part.type in ("equal", "substitute") for step in range(part.ref_end_idx - part.ref_start_idx)}


def _offsets(late_s: Sequence[float], frame_rate: float) -> Offsets | None:
    if not late_s:
        return None
    frames = [late * frame_rate for late in late_s]
    sizes = sorted(map(abs, frames))
    # The smallest size that 95 % of the cues do not exceed.
    p95 = sizes[math.ceil(0.95 * len(sizes)) - 1]
    early, late = (sum(side * frame > _ON_TIME for frame in frames) / len(frames) for side in (-1, 1))
    return Offsets(len(frames), round(statistics.median(sizes), 2), round(p95, 2), round(statistics.median(frames), 2),
                   round(early, 4), round(late, 4))


def _uncovered(speech: Sequence[Span], cues: Sequence[Cue]) -> float:
    """Seconds of `speech`, which is in order and does not overlap; cues may."""
    shown = merged(cues)
    ends = [span.end for span in shown]
    left = sum(span.duration for span in speech)
    for span in speech:
        for cue in shown[bisect_right(ends, span.start):]:
            if cue.start >= span.end:
                break
            left -= span.overlap(cue)
    return max(0.0, left)


def _names(names: Sequence[str], said: Sequence[str], heard: Sequence[str]) -> Names:
    expected = right = extra = 0
    missing = []
    for name in names:
        wanted = words_of(name)
        there, found = _count(wanted, said), _count(wanted, heard)
        expected, right, extra = expected + there, right + min(there, found), extra + max(0, found - there)
        missing += [name] if found < there else []
    return Names(expected, right, extra, tuple(missing))


def _count(wanted: Sequence[str], words: Sequence[str]) -> int:
    starts = range(len(words) - len(wanted) + 1) if wanted else ()
    return sum(list(words[start:start + len(wanted)]) == list(wanted) for start in starts)
