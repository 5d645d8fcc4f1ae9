"""Where everything sounds: the placement of lines and music in one audio track, in sample positions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from scenes.dialogue import WrittenLine, load_dialogue
from scenes.spec import SceneSpec, TrackContent
from scenes.voices import Clip, spoken

MusicRole = Literal["alone", "under"]

_BEFORE_LINE_S = 0.4
"""Music that played alone has gone down by this long before the next line."""


@dataclass(frozen=True)
class Cue:
    """One line in a track: voiced from sample position `onset` up to `end`, at `level_dbfs` RMS."""

    line: WrittenLine
    onset: int
    end: int
    level_dbfs: float
    music_db: float


@dataclass(frozen=True)
class MusicSpan:
    """Music from sample position `start` up to `end`, `level_db` relative to normal speech."""

    start: int
    end: int
    level_db: float
    role: MusicRole


@dataclass(frozen=True)
class Timeline:
    """One track's content, `samples` long at `rate_hz`; `cues` and `music` are in order."""

    rate_hz: int
    samples: int
    cues: tuple[Cue, ...]
    music: tuple[MusicSpan, ...]

    def pause_nearest(self, at_s: float) -> int:
        """The middle, in samples, of the pause whose middle is nearest to `at_s`; `at_s` if no lines."""
        starts = [0, *(cue.end for cue in self.cues)]
        ends = [*(cue.onset for cue in self.cues), self.samples]
        if not self.cues:
            return int(at_s * self.rate_hz)
        middles = (np.array(starts) + np.array(ends)) // 2
        return int(middles[np.argmin(np.abs(middles - at_s * self.rate_hz))])


def schedule(spec: SceneSpec, content: TrackContent, samples: int | None = None) -> Timeline:
    """The timeline of one track. `samples`, if given, is the exact length that it must have.

    Deterministic for a given spec: each content has its own seeded generator.
    """
    rate = spec.sample_rate_hz
    if samples is None and spec.length_s is not None:
        samples = round(spec.length_s * rate)
    if content == "music":
        if samples is None:
            samples = schedule(spec, "dialogue").samples
        span = MusicSpan(0, samples, spec.music_alone_db, "alone")
        return Timeline(rate, samples, (), (span,) if spec.music else ())
    cues = _placed(spec, content, samples)
    if samples is None:
        samples = cues[-1].end + round(spec.lead_out_s * rate)
    return Timeline(rate, samples, cues, _music(spec, cues, samples) if spec.music else ())


def _placed(spec: SceneSpec, content: TrackContent, samples: int | None) -> tuple[Cue, ...]:
    rate = spec.sample_rate_hz
    rng = np.random.default_rng([spec.seed, get_args(TrackContent).index(content)])
    clips = spoken(rate)
    latest_end = None if samples is None else samples - round(min(spec.lead_out_s, 1.0) * rate)
    cues: list[Cue] = []
    position = round(spec.lead_in_s * rate)
    for number, line in enumerate(_script(content, rng, repeat=samples is not None)):
        if number:
            position += round(_pause_s(spec, rng, number) * rate)
        clip = clips[line]
        end = position + clip.end - clip.onset
        if latest_end is not None and end > latest_end:
            break
        quiet = spec.quiet_every > 0 and number % spec.quiet_every == spec.quiet_every - 1
        level = _without_clipping(spec.speech_dbfs + (spec.quiet_db if quiet else 0.0), clip)
        music_db = spec.quiet_music_db if quiet else spec.music_under_db
        cues.append(Cue(line, position, end, level, music_db))
        position = end
    return tuple(cues)


def _script(content: TrackContent, rng: np.random.Generator, *, repeat: bool) -> Iterator[WrittenLine]:
    dialogue = load_dialogue()
    lines = dialogue.lines if content == "dialogue" else dialogue.lines_b
    yield from lines
    while repeat:
        for index in rng.permutation(len(lines)):
            yield lines[index]


def _pause_s(spec: SceneSpec, rng: np.random.Generator, number: int) -> float:
    if spec.pauses_s:
        return spec.pauses_s[(number - 1) % len(spec.pauses_s)]
    drawn = float(rng.uniform(spec.pause_min_s, spec.pause_max_s))
    return spec.music_gap_s if spec.music_every and number % spec.music_every == 0 else drawn


def _without_clipping(level_dbfs: float, clip: Clip) -> float:
    """`level_dbfs`, lowered if the clip's peak would leave less than 2 dB below full scale."""
    return min(level_dbfs, -2.0 - 20 * float(np.log10(clip.peak)))


def _music(spec: SceneSpec, cues: tuple[Cue, ...], samples: int) -> tuple[MusicSpan, ...]:
    """Spans that cover the whole track: alone in its long gaps, under everything else."""
    before = round(_BEFORE_LINE_S * spec.sample_rate_hz)
    gap = max(2 * before, round(2.0 * spec.sample_rate_hz))
    spans: list[MusicSpan] = []
    position = 0
    previous_end = 0
    for cue in cues:
        if cue.onset - previous_end >= gap:
            alone_from = previous_end + (before if spans else 0)
            if alone_from > position:
                spans[-1] = MusicSpan(spans[-1].start, alone_from, spans[-1].level_db, "under")
            spans.append(MusicSpan(alone_from, cue.onset - before, spec.music_alone_db, "alone"))
        position = spans[-1].end if spans else 0
        spans.append(MusicSpan(position, cue.end, cue.music_db, "under"))
        position = previous_end = cue.end
    if samples - position > 2 * before:
        if spans:
            spans[-1] = MusicSpan(spans[-1].start, position + before, spans[-1].level_db, "under")
            position += before
        spans.append(MusicSpan(position, samples, spec.music_alone_db, "alone"))
    elif spans:
        spans[-1] = MusicSpan(spans[-1].start, samples, spans[-1].level_db, "under")
    return tuple(spans)
