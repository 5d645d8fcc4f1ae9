from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from cp_whisperx.artifacts import (
    AudioTrack,
    Downmix,
    NamedTranscript,
    Subtitles,
    TrackChoice,
)
from cp_whisperx.job import Job, Request
from cp_whisperx.models.store import ModelStore
from cp_whisperx.stage import Inputs, Stage, Tools
from cp_whisperx.stages import subtitle_gen
from cp_whisperx.timeline import Anchor, Segment, TimeMap, Word


def transcript(words: list[tuple[float, float, str]], language: str = "en") -> NamedTranscript:
    made = tuple(Word(start, end, text, 0.9) for start, end, text in words)
    segments = (Segment(made[0].start, made[-1].end, "", made, -0.2, 0.0, 1.0),) if made else ()
    return NamedTranscript(language=language, segments=segments, changes=())


def track(time_map: TimeMap) -> AudioTrack:
    return AudioTrack(
        file="audio.wav", samples=16_000, sample_rate=16_000, duration_s=1.0, film_duration_s=1.0, has_picture=True,
        frame_rate=24.0, warnings=(), time_map=time_map,
        track=TrackChoice(index=0, codec="aac", language=None, title=None, channels="mono", reason=""),
        downmix=Downmix(rule="mono", levels_dbfs={}, reason=""))


def generate(tmp_path: Path, time_map: TimeMap, made: NamedTranscript, **options: object) -> tuple[Subtitles, Path]:
    from cp_whisperx import log as logs
    from cp_whisperx.progress import Progress

    job = Job.create(tmp_path, Request(film="/films/Dil Se (1998).mkv", fingerprint="sampled:abcdef012345",
                                       options={}))
    for artifact in (track(time_map), made):
        folder = job.stage_folder(artifact.stage)
        folder.mkdir()
        artifact.write(folder)
    work = tmp_path / "work"
    work.mkdir()
    stage: Stage[subtitle_gen.Options, Subtitles] = subtitle_gen.STAGE
    log = logs.get("subtitle-gen")
    tools = Tools(work, Path("/films/Dil Se (1998).mkv"), job.request.name, None, ModelStore(tmp_path), "cpu", 1, log,
                  Progress("subtitle-gen", log, terminal=False))
    return stage.run(Inputs(job, stage.needs), subtitle_gen.Options(**options), tools), work  # type: ignore[arg-type]


WORDS = [(1.0, 1.4, " Where"), (1.4, 1.8, " were"), (1.8, 2.2, " you?")]


def test_files_are_named_for_media_servers(tmp_path: Path) -> None:
    made, work = generate(tmp_path, TimeMap(), transcript(WORDS, "hi"))
    assert [file.file for file in made.files] == ["Dil Se (1998).hi.srt", "Dil Se (1998).hi.vtt"]
    assert (work / "Dil Se (1998).hi.srt").read_text() == "1\n00:00:01,000 --> 00:00:02,200\nWhere were you?\n\n"


@pytest.mark.parametrize("start_s", [-1.0, 0.0, 0.5, 4.9])
def test_cues_are_in_film_time(tmp_path: Path, start_s: float) -> None:
    made, _ = generate(tmp_path, TimeMap((Anchor(0.0, start_s),)), transcript(WORDS))
    assert made.cues[0].start == pytest.approx(1.0 + start_s)


def test_a_hole_ends_a_cue(tmp_path: Path) -> None:
    hole = TimeMap((Anchor(0.0, 0.0), Anchor(1.6, 4.6)))
    made, _ = generate(tmp_path, hole, transcript(WORDS))
    assert [(cue.start, cue.lines) for cue in made.cues] == [(1.0, ("Where were",)), (4.8, ("you?",))]
    assert made.cues[0].end <= 2.4


def test_before_the_film_there_is_no_cue_time(tmp_path: Path) -> None:
    made, _ = generate(tmp_path, TimeMap((Anchor(0.0, -1.5),)), transcript(WORDS))
    assert made.cues[0].start == 0.0


def test_nobody_speaks(tmp_path: Path) -> None:
    made, work = generate(tmp_path, TimeMap(), transcript([], "und"), formats="srt")
    assert made.cues == ()
    assert (work / "Dil Se (1998).srt").read_bytes() == b""


def test_formats() -> None:
    assert subtitle_gen.Options(formats="vtt, srt,vtt").formats == ("vtt", "srt")  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="no format of ours"):
        subtitle_gen.Options(formats=("doc",))
