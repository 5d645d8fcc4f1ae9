"""Sections where the words are sung, found from the sound itself.

Three signs, each 0..1, over windows of three seconds:
steadiness: speech falls silent between syllables and words, music does not; the share of frames below half of the
    mean level is small (low-energy frames, Saunders 1996; Scheirer and Slaney 1997).
tonality: notes stand still; the whitened spectrum resembles itself 0.3 s later.
doubt: a speech detector is less sure of sung words than of spoken ones.
No one of them is enough: rain is steady, speech over loud music is tonal, and a whisper is doubted. Words over music
count as sung only if all that is heard over seconds behaves like music, so speech over music does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cp_whisperx.timeline import SAMPLE_RATE, Segment, Song, Span, ms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cp_whisperx.media.samples import Samples

WINDOW_S, STEP_S = 3.0, 1.0
_HOP = 640
_FFT = 1024
_LAG = 8
"""Frames of _HOP samples: 0.32 s."""
_BAND_HZ = (100.0, 4000.0)
_BLUR = 25

_STEADY = (0.25, 0.08)
_TONAL = (0.42, 0.54)
_DOUBT = (0.85, 0.40)
"""From 0 to 1, by linear interpolation. Measured on few files (bench/songs.py): set wide of all speech heard."""
_MUSIC = 0.75
"""What the first two signs count for, of which the weaker one holds; the rest is doubt."""
SUNG, STILL_SUNG = 0.65, 0.5
"""A section begins at the one and goes on down to the other, both smoothed over _SMOOTH windows."""
_SMOOTH = 7
_SHORTEST_S = 8.0
_VERSE_S = 10.0
_SPOKEN = 0.6
"""Mean probability of speech under the words of a section: 0.90 to 0.99 in all clear speech measured, 0.63 and more in
quiet lines no louder than the music under them (bench/quiet_lines.py), 0.45 to 0.54 in a song."""
_NEAR_S = _VERSE_S
"""A song is known by its first bars: the voice itself, in its first line, may look like speech."""
_SHARE = 0.5


def find(samples: Samples, words: Sequence[Span],
         probability: Callable[[Span], tuple[float, float]]) -> tuple[Song, ...]:
    """Sections that are sung, of those that have words. `probability`: mean and highest one of speech in a span.

    Only the sound near words is looked at: music without words is nobody's business here.
    """
    songs: list[Song] = []
    for stretch in _stretches(words, len(samples) / SAMPLE_RATE):
        starts, scores = [], []
        for start_s, steady, tonal in _windows(samples, stretch):
            doubt = probability(Span(start_s, start_s + WINDOW_S))[0]
            starts.append(start_s)
            music = min(_part(steady, _STEADY), _part(tonal, _TONAL))
            scores.append(_MUSIC * music + (1 - _MUSIC) * _part(doubt, _DOUBT))
        songs += _sections(starts, scores)
    return tuple(song for song in _joined(songs) if _sung(song, words, probability))


def _sung(song: Song, words: Sequence[Span], probability: Callable[[Span], tuple[float, float]]) -> bool:
    """Speech over music as loud as itself behaves like music, but a detector hears each of its words for speech."""
    within = [word for word in words if song.overlap(word) > word.duration / 2]
    spoken_s = sum(word.duration for word in within)
    return spoken_s > 0 and sum(probability(word)[0] * word.duration for word in within) < _SPOKEN * spoken_s


def _joined(songs: Sequence[Song]) -> list[Song]:
    """Sections of one song: between two verses there are words that look more like speech."""
    joined: list[Song] = []
    for song in songs:
        if joined and song.start - joined[-1].end < _VERSE_S:
            last = joined[-1]
            score = (last.score * last.duration + song.score * song.duration) / (last.duration + song.duration)
            joined[-1] = Song(last.start, max(last.end, song.end), round(score, 3))
        else:
            joined.append(song)
    return joined


def mark(segments: Sequence[Segment], songs: Sequence[Song]) -> frozenset[int]:
    """Positions, over the words of all segments, of those that are sung: whole segments, by their greater part."""
    sung: list[int] = []
    position = 0
    for segment in segments:
        if sum(song.overlap(segment) for song in songs) > _SHARE * segment.duration:
            sung += range(position, position + len(segment.words))
        position += len(segment.words)
    return frozenset(sung)


def _part(value: float, scale: tuple[float, float]) -> float:
    return min(1.0, max(0.0, (value - scale[0]) / (scale[1] - scale[0])))


def _stretches(words: Sequence[Span], duration_s: float) -> list[Span]:
    """What lies near words, in pieces that have room for a window."""
    joined: list[Span] = []
    for word in sorted(words):
        start, end = max(0.0, word.start - _NEAR_S), min(duration_s, word.end + _NEAR_S)
        if joined and start <= joined[-1].end:
            joined[-1] = replace(joined[-1], end=max(end, joined[-1].end))
        else:
            joined.append(Span(start, end))
    return [span for span in joined if span.duration >= WINDOW_S]


def _windows(samples: Samples, stretch: Span) -> Iterator[tuple[float, float, float]]:
    """Start, share of low-energy frames, and likeness of spectra, of each window."""
    step, size = round(STEP_S * SAMPLE_RATE), round(WINDOW_S * SAMPLE_RATE)
    for start in range(round(stretch.start * SAMPLE_RATE), round(stretch.end * SAMPLE_RATE) - size + 1, step):
        yield (start / SAMPLE_RATE, *_measured(samples.slice(start, start + size + _FFT)))


def _measured(wave: NDArray[np.float32]) -> tuple[float, float]:
    import numpy as np

    count = max(1, (wave.size - _FFT) // _HOP)
    frames = np.lib.stride_tricks.sliding_window_view(wave, min(_FFT, wave.size))[::_HOP][:count]
    # Half-length pieces, so that the silence between two syllables is not blurred away.
    levels = np.sqrt(np.mean(np.square(frames[:, :_HOP // 2], dtype=np.float64), axis=1)) + 1e-9
    low = float(np.mean(levels < 0.5 * levels.mean()))
    spectra = np.abs(np.fft.rfft(frames * np.hanning(frames.shape[1]).astype(np.float32), _FFT, axis=1))
    hertz = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)
    logs = np.log(spectra[:, (hertz >= _BAND_HZ[0]) & (hertz <= _BAND_HZ[1])] + 1e-4)
    peaks = np.clip(logs - _blurred(logs), 0, None)
    if len(peaks) <= _LAG:
        return low, 0.0
    one, other = peaks[:-_LAG], peaks[_LAG:]
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1) + 1e-9
    return low, float(np.mean(np.sum(one * other, axis=1) / norms))


def _blurred(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row as its running mean: the envelope, without the lines of single notes."""
    import numpy as np

    padded = np.pad(logs, ((0, 0), (_BLUR // 2 + 1, _BLUR // 2)), mode="edge").cumsum(axis=1)
    blurred: NDArray[np.float64] = (padded[:, _BLUR:] - padded[:, :-_BLUR]) / _BLUR
    return blurred


def _sections(starts: Sequence[float], scores: Sequence[float]) -> list[Song]:
    half = _SMOOTH // 2
    smooth = [sum(scores[max(0, at - half):at + half + 1]) / len(scores[max(0, at - half):at + half + 1])
              for at in range(len(scores))]
    found: list[Song] = []
    first: int | None = None
    for at, score in enumerate([*smooth, 0.0]):
        if first is None and score >= SUNG:
            first = at
            while first and smooth[first - 1] >= STILL_SUNG:
                first -= 1
        elif first is not None and score < STILL_SUNG:
            start, end = starts[first], starts[at - 1] + WINDOW_S
            if end - start >= _SHORTEST_S:
                found.append(Song(ms(start), ms(end), round(sum(smooth[first:at]) / (at - first), 3)))
            first = None
    return found
