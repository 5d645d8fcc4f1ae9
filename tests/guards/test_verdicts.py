"""The decisions as a whole: on made segments, and through the real engines on sound with and without speech."""

from __future__ import annotations

import logging
import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cp_whisperx.artifacts import AudioTrack, Glossary, SpeakerActivity, Speech, Transcript
from cp_whisperx.engines.fake import SteadySound
from cp_whisperx.guards.verdicts import decide
from cp_whisperx.media.samples import Samples
from cp_whisperx.models.store import ModelStore
from cp_whisperx.progress import Progress
from cp_whisperx.stage import Tools
from cp_whisperx.stages import asr, demux, pyannote_vad, silero_vad
from cp_whisperx.timeline import Segment, Span, SpeechSpan
from cp_whisperx.windows import Window
from scenes import Scene, SceneSpec
from tests.guards.making import segment

SPEECH = (SpeechSpan(9.8, 13.2, 10.0, 13.0, 0.9, 1.0), SpeechSpan(29.8, 33.2, 30.0, 33.0, 0.9, 1.0))


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.random.default_rng(1).normal(0, 900, 40 * 16_000).astype("<i2").tobytes())
    return Samples(tmp_path / "a.wav")


def test_a_loop_is_heard_again_and_what_comes_then_is_judged_too(samples: Samples) -> None:
    asked: list[tuple[int, Window]] = []

    def alone(text: str) -> Callable[[int, Window], tuple[Segment, ...]]:
        def hear(number: int, window: Window) -> tuple[Segment, ...]:
            asked.append((number, window))
            return (segment(text, 30.0, 33.0),)
        return hear

    heard = [segment("Come in, please.", 10.0, 13.0), segment("no " * 12, 30.0, 33.0)]
    found = decide(heard, SPEECH, SteadySound(), samples, windows=1, hear_alone=alone("Who are you?"))
    assert [one.text for one in found.kept] == ["Come in, please.", "Who are you?"]
    assert [(drop.guard, drop.hearing) for drop in found.dropped] == [("loop", 1)]
    assert (found.unheard, found.again) == ((), 1)
    assert [(number, window.spans[0].onset) for number, window in asked] == [(0, 30.0)]

    found = decide(heard, SPEECH, SteadySound(), samples, windows=1, hear_alone=alone("no " * 12))
    assert [(drop.guard, drop.hearing) for drop in found.dropped] == [("loop", 1), ("loop", 2)]
    assert found.unheard == (Span(30.0, 33.0),)


def test_where_there_is_nothing_nobody_listens_twice(samples: Samples) -> None:
    def never(number: int, window: Window) -> tuple[Segment, ...]:
        raise AssertionError("heard again")

    silent = [segment("Thank you.", 10.0, 13.0), segment("Thank you.", 30.0, 33.0)]
    found = decide(silent, SPEECH, SteadySound(level_db=-90.0), samples, windows=1, hear_alone=never)
    assert not found.kept and [drop.guard for drop in found.dropped] == ["silence", "silence"]


def test_the_number_of_second_hearings_is_bounded(samples: Samples) -> None:
    many = tuple(SpeechSpan(at - 0.2, at + 1.2, at, at + 1.0, 0.9, 1.0) for at in np.arange(1.0, 400.0, 4.0).tolist())
    found = decide([], many, SteadySound(), samples, windows=3, hear_alone=lambda number, window: ())
    assert found.again == 14 and len(found.unheard) == len(many)


class Made(dict[Any, Any]):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def file(self, kind: Any, name: str) -> Path:
        return self._folder / kind.stage / name


def hear(film: Path, folder: Path, model: str, store: ModelStore) -> Transcript:
    """demux, silero-vad and asr as a job runs them."""
    log = logging.getLogger("test")
    common = Tools(folder, film, film.stem, None, store, "cpu", 1, log, Progress("test", log, terminal=False))

    def tools(stage: str) -> Tools:
        (folder / stage).mkdir()
        return replace(common, work=folder / stage)

    made: Any = Made(folder)
    made[Glossary] = Glossary(names=())
    made[AudioTrack] = demux.run(made, demux.Options(shots="off"), tools("demux"))
    made[Speech] = silero_vad.run(made, silero_vad.Options(), tools("silero-vad"))
    made[SpeakerActivity] = pyannote_vad.run(made, pyannote_vad.Options(), tools("pyannote-vad"))
    return asr.run(made, asr.Options(model=model, source="en"), tools("asr"))


@pytest.mark.real
@pytest.mark.media
@pytest.mark.parametrize("name", ["nonspeech/esc50_thunderstorm.wav", "nonspeech/music_vibe_ace.ogg",
                                  "containers/bbb_opening_30s.webm"])
def test_no_word_where_nobody_speaks(shared_media: Path, tmp_path: Path, models: ModelStore, name: str) -> None:
    heard = hear(shared_media / name, tmp_path, "tiny.en", models)
    assert [one.text for one in heard.segments] == []


@pytest.mark.real
def test_quiet_lines_under_music_are_not_lost(make_scene: Callable[[SceneSpec], Scene], tmp_path: Path,
                                              models: ModelStore) -> None:
    """Every second line is 12 dB quieter, over music that is as near to it as under the others."""
    scene = make_scene(replace(SceneSpec(), picture="none", length_s=26.0, seed=2, quiet_every=2))
    heard = hear(scene.film, tmp_path, "tiny.en", models)
    words = [word for one in heard.segments for word in one.words]
    assert min(line.level_dbfs for line in scene.lines) < max(line.level_dbfs for line in scene.lines) - 11
    for line in scene.lines:
        said = [word for word in words if line.start_s - 0.3 < word.start < line.end_s]
        assert len(said) >= len(line.text.split()) * 0.6, line.text
    assert heard.dropped == () and heard.unheard == () and heard.songs == ()
