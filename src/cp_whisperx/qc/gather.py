"""From what the stages made to what the report shows: everything in film time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cp_whisperx.artifacts import AudioTrack, NamedTranscript, SpeakerActivity, SpeakerTurns, Transcript
from cp_whisperx.qc.data import Change, Drop, QcData, RuleOutcome, Voice
from cp_whisperx.qc.peaks import peaks
from cp_whisperx.timeline import Cue, Span, TimeMap, Turn


def gather(*, film: str, profile: str, cues: Sequence[Cue], speeds: Sequence[float], speed_limit: float | None,
           rules: Sequence[RuleOutcome], track: AudioTrack, wav: Path, speech: SpeakerActivity,
           transcript: Transcript, turns: SpeakerTurns | None = None, speakers: Mapping[str, str | None] | None = None,
           named: NamedTranscript | None = None, warnings: Sequence[str] = ()) -> QcData:
    """`cues` and `speeds` (characters per second, one for each cue) as shown; `rules` as the validator answers.

    `speakers` has the names of the labels, where they are known.
    """
    time_map = track.time_map
    duration_s = max(track.film_duration_s or 0.0, time_map.film_time(track.duration_s))
    return QcData(
        film=film, language=transcript.language, profile=profile, duration_s=duration_s, cues=tuple(cues),
        rules=tuple(rules), speeds=tuple(speeds), speed_limit=speed_limit,
        speech=spans_in_film_time([Span(span.onset, span.offset) for span in speech.spans], time_map),
        unheard=spans_in_film_time(transcript.unheard, time_map),
        songs=spans_in_film_time(transcript.songs, time_map), cuts=track.shots,
        voices=Voice.of(_turns(turns, time_map), speakers or {}),
        dropped=tuple(Drop(time_map.film_time(drop.start), time_map.film_time(drop.end), drop.text, drop.guard,
                           drop.reason, drop.hearing)
                      for drop in sorted(transcript.dropped, key=lambda drop: drop.start)),
        changes=tuple(Change(time_map.film_time(change.start), change.before, change.after, change.reason,
                             change.score, change.vetoed) for change in (named.changes if named else ())),
        warnings=(*track.warnings, *warnings), peaks=peaks(wav, time_map, duration_s))


def spans_in_film_time(spans: Sequence[Span], time_map: TimeMap) -> tuple[Span, ...]:
    """A span that lies across a hole keeps its length: it was last heard where the hole begins."""
    starts = [time_map.film_time(span.start) for span in spans]
    return tuple(Span(start, start + span.duration) for start, span in zip(starts, spans, strict=True))


def _turns(turns: SpeakerTurns | None, time_map: TimeMap) -> list[Turn]:
    if turns is None:
        return []
    spans = spans_in_film_time(turns.turns, time_map)
    return [Turn(span.start, span.end, turn.speaker) for span, turn in zip(spans, turns.turns, strict=True)]
