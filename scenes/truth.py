"""What is true of a made film, in film time, and the files that say so."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scenes.schedule import Timeline


@dataclass(frozen=True)
class Jump:
    """From sample position `at_sample` on, timestamps are `by_s` later (earlier, if negative)."""

    at_sample: int
    by_s: float


@dataclass(frozen=True)
class TrackClock:
    """Film time of one audio track: position 0 has timestamp `start_s`, then come the jumps in order."""

    rate_hz: int
    start_s: float
    jumps: tuple[Jump, ...] = ()

    def film_s(self, sample: int) -> float:
        """The timestamp in the file, in seconds, of sample position `sample`."""
        jumped = sum(jump.by_s for jump in self.jumps if sample >= jump.at_sample)
        return self.start_s + sample / self.rate_hz + jumped


@dataclass(frozen=True)
class Line:
    """One spoken line.

    start_s, end_s: acoustic onset and end in film time; may lie before 0 in MP4 (see SceneSpec).
    start_sample, end_sample: the same in the sound as mixed, before codec and container.
    level_dbfs: RMS of the voiced part, dB of full scale, in each channel that carries the voice.
    presented_fraction: the share of start_s..end_s that a player presents; below 1 where the container
        hides sound before timestamp 0.
    """

    speaker: str
    text: str
    start_s: float
    end_s: float
    start_sample: int
    end_sample: int
    level_dbfs: float
    presented_fraction: float = 1.0


@dataclass(frozen=True)
class Music:
    """A span of music in film time; `level_db` is relative to normal speech, `role` alone or under."""

    start_s: float
    end_s: float
    level_db: float
    role: str


@dataclass(frozen=True)
class Track:
    """One audio track as it is in the file; `audio_index` counts audio streams from 0."""

    audio_index: int
    language: str
    title: str
    content: str
    disposition: tuple[str, ...]
    clock: TrackClock
    samples: int
    lines: tuple[Line, ...]
    music: tuple[Music, ...]


@dataclass(frozen=True)
class Scene:
    """A made film and its truth. Times are film time: seconds from timestamp 0 of the container.

    lines: those of the first track that carries the dialogue (of the first track, if none does).
    duration_s: end of the last stream.
    video_start_s: timestamp of the first picture, None without one.
    spec: the SceneSpec as plain data, for the record.
    """

    film: Path
    truth_json: Path
    truth_srt: Path
    lines: tuple[Line, ...]
    tracks: tuple[Track, ...]
    duration_s: float
    video_start_s: float | None
    spec: dict[str, Any]

    @classmethod
    def load(cls, truth_json: Path) -> Scene:
        """The scene described by `truth_json`, whose film lies beside it."""
        data = json.loads(truth_json.read_text(encoding="utf-8"))
        tracks = tuple(_track(entry) for entry in data["tracks"])
        return cls(
            film=truth_json.with_name(data["film"]),
            truth_json=truth_json,
            truth_srt=truth_json.with_name(data["truth_srt"]),
            lines=main_lines(tracks),
            tracks=tracks,
            duration_s=data["duration_s"],
            video_start_s=data["video_start_s"],
            spec=data["spec"],
        )

    def save(self) -> None:
        """Writes `truth_json` and `truth_srt`."""
        data = {
            "film": self.film.name,
            "truth_srt": self.truth_srt.name,
            "duration_s": self.duration_s,
            "video_start_s": self.video_start_s,
            "tracks": [asdict(track) for track in self.tracks],
            "spec": self.spec,
        }
        text = json.dumps(data, indent=1, ensure_ascii=False)
        self.truth_json.write_text(text + "\n", encoding="utf-8")
        presented = [line for line in self.lines if line.presented_fraction > 0]
        self.truth_srt.write_text(srt(presented), encoding="utf-8")


def main_lines(tracks: tuple[Track, ...]) -> tuple[Line, ...]:
    """The lines of the first dialogue track, or else of the first track."""
    return next((track.lines for track in tracks if track.content == "dialogue"), tracks[0].lines)


def lines_of(timeline: Timeline, clock: TrackClock, *, hidden_before_zero: bool) -> tuple[Line, ...]:
    """The timeline's cues in film time."""
    lines = []
    for cue in timeline.cues:
        start, end = clock.film_s(cue.onset), clock.film_s(cue.end)
        seen = max(0.0, end - max(start, 0.0)) / (end - start) if hidden_before_zero else 1.0
        lines.append(
            Line(
                speaker=cue.line.speaker,
                text=cue.line.text,
                start_s=round(start, 6),
                end_s=round(end, 6),
                start_sample=cue.onset,
                end_sample=cue.end,
                level_dbfs=round(cue.level_dbfs, 2),
                presented_fraction=round(seen, 4),
            )
        )
    return tuple(lines)


def music_of(timeline: Timeline, clock: TrackClock) -> tuple[Music, ...]:
    """The timeline's music in film time; an end that a jump falls on counts as before the jump."""
    return tuple(
        Music(
            start_s=round(clock.film_s(span.start), 6),
            end_s=round(clock.film_s(span.end - 1) + 1 / clock.rate_hz, 6),
            level_db=span.level_db,
            role=span.role,
        )
        for span in timeline.music
    )


def srt(lines: list[Line]) -> str:
    """`lines` as SubRip text; the part before time 0 is left out."""
    entries = [
        f"{number}\n{_srt_time(line.start_s)} --> {_srt_time(line.end_s)}\n{line.text}\n"
        for number, line in enumerate(lines, start=1)
    ]
    return "\n".join(entries)


def _srt_time(seconds: float) -> str:
    ms = max(0, round(seconds * 1000))
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"


def _track(entry: dict[str, Any]) -> Track:
    clock = entry["clock"]
    jumps = tuple(Jump(**jump) for jump in clock["jumps"])
    return Track(
        audio_index=entry["audio_index"],
        language=entry["language"],
        title=entry["title"],
        content=entry["content"],
        disposition=tuple(entry["disposition"]),
        clock=TrackClock(clock["rate_hz"], clock["start_s"], jumps),
        samples=entry["samples"],
        lines=tuple(Line(**line) for line in entry["lines"]),
        music=tuple(Music(**span) for span in entry["music"]),
    )
