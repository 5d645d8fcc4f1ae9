"""From voices whose cuts have a speaker to the turns of the film; where two speak at once, both have a turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from cp_whisperx.diarization.cuts import Cut, runs
from cp_whisperx.diarization.tracks import Grid, Voice
from cp_whisperx.timeline import Span, Turn, ms, total

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TurnRules:
    """What makes a turn of a speaker's probability; durations in seconds."""

    threshold: float
    min_turn_s: float
    min_pause_s: float
    faint: float = 0.1
    """Where speech is heard and nobody reaches the threshold, who is likeliest speaks if this probable."""
    near_s: float = 0.5
    """Where nobody is even that, who speaks nearest goes on, up to this far."""


def turns(voices: Sequence[Voice], cuts: Sequence[Cut], speakers: NDArray[np.int64], frames: int, grid: Grid,
          end_s: float, rules: TurnRules, speech: Sequence[Span] = ()) -> tuple[Turn, ...]:
    """Turns in order, their speakers labelled S1, S2… by first turn. `speakers`: that of each cut.

    A frame of a voice belongs to the speaker of its nearest cut; one person may be several voices of the
    segmentation, whose probabilities add up. Voices that never speak alone belong to nobody. `speech` is where
    detectors hear somebody: a quiet line is somebody's, although the segmentation is not sure of it.
    """
    found: list[tuple[int, int, int]] = []
    probable = _by_speaker(voices, cuts, speakers, frames)
    for (speaker, _), active in zip(probable, _active(probable, _inside(speech, frames, grid), grid, rules),
                                    strict=True):
        merged: list[list[int]] = []
        for start, end in runs(active):
            if merged and (start - merged[-1][1]) * grid.frame_s < rules.min_pause_s:
                merged[-1][1] = end
            else:
                merged.append([start, end])
        found += [(start, end, speaker) for start, end in merged
                  if (end - start) * grid.frame_s >= rules.min_turn_s and grid.time(start) < end_s]
    found.sort()
    labels = {speaker: f"S{number}" for number, speaker in enumerate(dict.fromkeys(turn[2] for turn in found), 1)}
    return tuple(Turn(ms(grid.time(start)), ms(min(end_s, grid.time(end))), labels[speaker])
                 for start, end, speaker in found)


def overlaps(turns: Sequence[Turn]) -> tuple[Span, ...]:
    """Where two or more speak at once. Turns of one speaker do not overlap."""
    changes = sorted((time, step) for turn in turns for time, step in ((turn.start, 1), (turn.end, -1)))
    spans: list[Span] = []
    speaking, since = 0, 0.0
    for time, step in changes:
        if speaking >= 2 > speaking + step and time > since:
            spans.append(Span(since, time))
        elif speaking + step == 2 and step > 0:
            since = time
        speaking += step
    return tuple(spans)


def speech_s(turns: Sequence[Turn], speaker: str) -> float:
    return ms(total(turn for turn in turns if turn.speaker == speaker))


def _inside(speech: Sequence[Span], frames: int, grid: Grid) -> NDArray[np.bool_]:
    """Which frames of the film are centred in a span."""
    import numpy as np

    mask = np.zeros(frames, bool)
    for span in speech:
        first, last = ((time - grid.first_frame_s) / grid.frame_s for time in (span.start, span.end))
        mask[max(0, int(np.ceil(first))):max(0, int(np.floor(last)) + 1)] = True
    return mask


def _active(probable: Sequence[tuple[int, NDArray[np.float32]]], heard: NDArray[np.bool_], grid: Grid,
            rules: TurnRules) -> list[NDArray[np.bool_]]:
    """In which frames each speaker speaks."""
    import numpy as np

    active = [probability > rules.threshold for _, probability in probable]
    if not active:
        return active
    best, who = np.zeros(len(heard), np.float32), np.zeros(len(heard), np.int16)
    spoken = np.zeros(len(heard), bool)
    for place, (_, probability) in enumerate(probable):
        better = probability > best
        best[better], who[better] = probability[better], place
        spoken |= active[place]
    faint = heard & ~spoken & (best >= rules.faint)
    for place, mask in enumerate(active):
        mask |= faint & (who == place)
    spoken |= faint
    known, missing = np.flatnonzero(spoken), np.flatnonzero(heard & ~spoken)
    if len(known) and len(missing):
        after = np.searchsorted(known, missing)
        before, after = known[np.maximum(after - 1, 0)], known[np.minimum(after, len(known) - 1)]
        nearest = np.where(np.abs(missing - before) <= np.abs(after - missing), before, after)
        near = np.abs(nearest - missing) * grid.frame_s <= rules.near_s
        for place, mask in enumerate(active):
            mask[missing[near & (who[nearest] == place)]] = True
    return active


def _by_speaker(voices: Sequence[Voice], cuts: Sequence[Cut], speakers: NDArray[np.int64],
                frames: int) -> list[tuple[int, NDArray[np.float32]]]:
    """Each speaker's probability in every frame of the film."""
    import numpy as np

    probability = {int(speaker): np.zeros(frames, np.float32) for speaker in np.unique(speakers)}
    of_voice: dict[int, list[tuple[float, int]]] = {}
    for piece, speaker in zip(cuts, speakers.tolist(), strict=True):
        of_voice.setdefault(piece.voice, []).append(((piece.start + piece.end) / 2, speaker))
    for number, places in of_voice.items():
        places.sort()
        voice = voices[number]
        edges = [voice.begin, *(round((before[0] + after[0]) / 2) for before, after in pairwise(places)), voice.end]
        for (start, end), (_, speaker) in zip(pairwise(edges), places, strict=True):
            probability[speaker][start:end] += voice.probability[start - voice.begin:end - voice.begin]
    return sorted(probability.items())
