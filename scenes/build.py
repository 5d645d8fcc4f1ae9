"""From a SceneSpec to a film and its truth."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import av

from scenes.dialogue import load_dialogue
from scenes.film import TrackPlan, Written, disposition, write_film
from scenes.matroska import move_blocks
from scenes.schedule import Timeline, schedule
from scenes.spec import SceneSpec, SubtitleContent, TrackContent
from scenes.truth import Jump, Line, Scene, Track, TrackClock, lines_of, main_lines, music_of


def build(spec: SceneSpec, folder: Path, name: str = "scene") -> Scene:
    """Writes `name`.mkv (or .mp4), `name`.truth.json and `name`.truth.srt into `folder`.

    The same spec gives the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    film = folder / f"{name}.{spec.container}"
    main = schedule(spec, "dialogue")
    plans = tuple(_plan(spec, index, main) for index in range(len(spec.tracks)))
    written = write_film(
        spec,
        film,
        plans,
        subtitles=tuple(_spoken(plans, subtitle.content) for subtitle in spec.subtitles),
        speaking=_spoken(plans, "dialogue"),
        speakers=tuple(speaker.name for speaker in load_dialogue().speakers),
    )
    video_start_s, lift_s = _as_stored(spec, film)
    _go_back(spec, film, written)

    tracks = tuple(_track(spec, plan, index, lift_s) for index, plan in enumerate(plans))
    ends = [track.clock.film_s(track.samples) for track in tracks]
    scene = Scene(
        film=film,
        truth_json=folder / f"{name}.truth.json",
        truth_srt=folder / f"{name}.truth.srt",
        lines=main_lines(tracks),
        tracks=tracks,
        duration_s=round(max(ends), 6),
        video_start_s=video_start_s,
        spec=asdict(spec),
    )
    scene.save()
    return scene


def _plan(spec: SceneSpec, index: int, main: Timeline) -> TrackPlan:
    track = spec.tracks[index]
    timeline = main if track.content == "dialogue" else schedule(spec, track.content, main.samples)
    jumps = []
    if spec.hole_s:
        jumps.append(Jump(timeline.pause_nearest(spec.hole_at_s), spec.hole_s))
    if spec.overlap_s:
        jumps.append(Jump(timeline.pause_nearest(spec.overlap_at_s), -spec.overlap_s))
    jumps.sort(key=lambda jump: jump.at_sample)
    return TrackPlan(track, timeline, TrackClock(timeline.rate_hz, spec.audio_start_s, tuple(jumps)))


def _spoken(plans: tuple[TrackPlan, ...], content: SubtitleContent) -> tuple[Line, ...]:
    """The lines of the first track with `content`, timed as asked for; none without such a track."""
    for plan in plans:
        if plan.spec.content == content:
            return lines_of(plan.timeline, plan.clock, hidden_before_zero=False)
    return ()


def _as_stored(spec: SceneSpec, film: Path) -> tuple[float | None, float]:
    """Timestamp of the first picture, and by how much the muxer has lifted every stream, in seconds."""
    with av.open(film) as container:
        if spec.picture != "none":
            first_s = float(next(container.decode(container.streams.video[0])).time or 0.0)
            return round(first_s, 6), first_s
        heard = next(container.decode(container.streams.audio[0]))
        lifted = spec.container == "mkv" and spec.audio_start_s < 0
        return None, float(heard.time or 0.0) - spec.audio_start_s if lifted else 0.0


def _go_back(spec: SceneSpec, film: Path, written: Written) -> None:
    first_audio = 1 if spec.picture == "none" else 2
    for index, boundaries in enumerate(written.boundaries):
        for jump, packet in boundaries.items():
            if jump.by_s < 0:
                move_blocks(film, first_audio + index, packet, round(jump.by_s * 1000))


def _track(spec: SceneSpec, plan: TrackPlan, index: int, lift_s: float) -> Track:
    clock = replace(plan.clock, start_s=round(plan.clock.start_s + lift_s, 6))
    content: TrackContent = plan.spec.content
    return Track(
        audio_index=index,
        language=plan.spec.language,
        title=plan.spec.title,
        content=content,
        disposition=tuple(flag.name for flag in disposition(plan.spec) if flag.name),
        clock=clock,
        samples=plan.timeline.samples,
        lines=lines_of(plan.timeline, clock, hidden_before_zero=spec.container == "mp4"),
        music=music_of(plan.timeline, clock),
    )
