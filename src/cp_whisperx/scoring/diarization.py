"""Diarization error: turns found against turns of a reference, in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cp_whisperx.scoring.assignment import assignment
from cp_whisperx.timeline import Span, Turn


@dataclass(frozen=True, slots=True)
class DiarizationError:
    """Seconds by kind; where two speak at once a second counts twice. Errors of several files add up."""

    reference_s: float = 0.0
    missed_s: float = 0.0
    false_alarm_s: float = 0.0
    confusion_s: float = 0.0

    @property
    def rate(self) -> float:
        """DER: the share of the reference that is wrong; above 1 if more is invented than was said."""
        wrong = self.missed_s + self.false_alarm_s + self.confusion_s
        return wrong / self.reference_s if self.reference_s else float(bool(wrong))

    def __add__(self, other: DiarizationError) -> DiarizationError:
        return DiarizationError(self.reference_s + other.reference_s, self.missed_s + other.missed_s,
                                self.false_alarm_s + other.false_alarm_s, self.confusion_s + other.confusion_s)


def diarization_error(reference: Sequence[Turn], found: Sequence[Turn], *, collar_s: float = 0.0,
                      within: Sequence[Span] | None = None) -> DiarizationError:
    """Missed speech, false alarm and confusion under the mapping of speakers that leaves the least confusion.

    Overlapping speech is scored. `collar_s` before and after each start and end of a reference turn is not, as in
    NIST's md-eval (NIST Rich Transcription 2009 evaluation plan, section 4). Nothing is scored outside `within`;
    None scores from the first to the last turn of either.
    """
    pieces = list(_pieces(reference, found, collar_s, within))
    names, others = sorted({turn.speaker for turn in reference}), sorted({turn.speaker for turn in found})
    together = {(name, other): 0.0 for name in names for other in others}
    for seconds, said, heard in pieces:
        for name in said:
            for other in heard:
                together[name, other] += seconds
    pairs = assignment([[together[name, other] for other in others] for name in names])
    match = {names[row]: others[column] for row, column in pairs}
    total = DiarizationError()
    for seconds, said, heard in pieces:
        right = sum(match.get(name) in heard for name in said)
        total += DiarizationError(seconds * len(said), seconds * max(0, len(said) - len(heard)),
                                  seconds * max(0, len(heard) - len(said)),
                                  seconds * (min(len(said), len(heard)) - right))
    return total


def _pieces(reference: Sequence[Turn], found: Sequence[Turn], collar_s: float,
            within: Sequence[Span] | None) -> Iterator[tuple[float, frozenset[str], frozenset[str]]]:
    """Scored stretches in which nothing changes: seconds, speakers of the reference, speakers found."""
    if within is None:
        ends = [time for turn in (*reference, *found) for time in (turn.start, turn.end)]
        within = [Span(min(ends), max(ends))] if ends else []
    # What begins or ends at each time; a negative count ends.
    changes: list[tuple[float, int, str, str]] = []
    for kind, spans in (("said", reference), ("heard", found)):
        changes += [edge for turn in spans for edge in ((turn.start, 1, kind, turn.speaker),
                                                        (turn.end, -1, kind, turn.speaker))]
    changes += [edge for span in within for edge in ((span.start, 1, "within", ""), (span.end, -1, "within", ""))]
    if collar_s:
        changes += [edge for turn in reference for time in (turn.start, turn.end)
                    for edge in ((time - collar_s, 1, "collar", ""), (time + collar_s, -1, "collar", ""))]
    changes.sort()
    open_: dict[str, dict[str, int]] = {"said": {}, "heard": {}, "within": {}, "collar": {}}
    before = 0.0
    for time, step, kind, who in changes:
        if time > before and open_["within"] and not open_["collar"] and (open_["said"] or open_["heard"]):
            yield time - before, frozenset(open_["said"]), frozenset(open_["heard"])
        before = time
        count = open_[kind].get(who, 0) + step
        if count:
            open_[kind][who] = count
        else:
            open_[kind].pop(who, None)
