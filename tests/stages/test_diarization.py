from __future__ import annotations

import wave as wav
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from cp_whisperx import log as logs
from cp_whisperx import pipeline, rttm, settings
from cp_whisperx.artifacts import SpeakerTurns
from cp_whisperx.engines.fake import LoudnessSegmenter, PitchEmbedder
from cp_whisperx.engines.segmentation import OnnxSegmenter
from cp_whisperx.engines.speaker_embedding import OnnxEmbedder
from cp_whisperx.errors import ConfigError
from cp_whisperx.media import decode
from cp_whisperx.media.samples import Samples
from cp_whisperx.models.store import ModelStore
from cp_whisperx.progress import Progress
from cp_whisperx.runners.local import LocalRunner
from cp_whisperx.scoring.diarization import diarization_error
from cp_whisperx.stage import Tools
from cp_whisperx.stages import diarization
from cp_whisperx.stages.diarization import Options, diarize, listen
from cp_whisperx.timeline import SAMPLE_RATE, Span, Turn, total

STEP_FRAMES = 30
LOW, HIGH = (300.0, 0.05), (2400.0, 0.2)
"""Two people: pitch in Hz, by which the fake encoder knows them, and loudness, by which the fake segmentation does."""


def tone(seconds: float, pitch: float = 0.0, loudness: float = 0.0) -> np.ndarray:
    # The mean of a full sine is 2/pi of its peak.
    return loudness * 1.57 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)


def tools(work: Path, threads: int = 1) -> Tools:
    log = logs.get("diarization")
    work.mkdir(parents=True, exist_ok=True)
    return Tools(work, work / "film.mkv", "film", None, ModelStore(work), "cpu", threads, log,
                 Progress("diarization", log, terminal=False))


def written(work: Path, sound: Sequence[np.ndarray]) -> Samples:
    work.mkdir(parents=True, exist_ok=True)
    with wav.open(str(work / "a.wav"), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((np.concatenate([*sound, np.zeros(0)]) * 32767).astype("<i2").tobytes())
    return Samples(work / "a.wav")


def stage(work: Path, sound: Sequence[np.ndarray], *, threads: int = 1, activity: np.ndarray | None = None,
          speech: Sequence[Span] | None = None, **options: object) -> tuple[SpeakerTurns, Tools]:
    """Speech is everywhere to be looked for, and nowhere sure, unless it is given."""
    samples, used = written(work, sound), tools(work / "made", threads)
    asked = Options.model_validate({"speakers": "labels", "step_s": STEP_FRAMES * 270 / SAMPLE_RATE, **options})
    windows, grid = listen(LoudnessSegmenter(), samples, [Span(0, len(samples) / SAMPLE_RATE)], asked, used)
    if activity is not None:
        windows = activity
    return diarize(PitchEmbedder(), samples, windows, grid, speech or (), asked, used), used


CONVERSATION = [tone(1), tone(4, *HIGH), tone(1), tone(5, *LOW), tone(2), tone(3, *HIGH), tone(0.5), tone(4, *LOW),
                tone(1)]


def test_two_people_take_turns(tmp_path: Path) -> None:
    made, used = stage(tmp_path, CONVERSATION)
    assert [speaker.label for speaker in made.speakers] == ["S1", "S2"]
    wanted = (Turn(1, 5, "high"), Turn(6, 11, "low"), Turn(13, 16, "high"), Turn(16.5, 20.5, "low"))
    assert diarization_error(wanted, made.turns, collar_s=0.1).rate == 0
    assert [turn.speaker for turn in made.turns] == ["S1", "S2", "S1", "S2"]
    assert made.overlaps == () and used.warnings == []
    assert rttm.read(used.work / "turns.rttm") == pytest.approx(made.turns)
    assert made.speakers[0].speech_s == pytest.approx(total(turn for turn in made.turns if turn.speaker == "S1"))


def test_threads_change_nothing(tmp_path: Path) -> None:
    one, _ = stage(tmp_path / "1", CONVERSATION)
    three, _ = stage(tmp_path / "3", CONVERSATION, threads=3)
    assert one == three
    assert (tmp_path / "1/made/turns.rttm").read_bytes() == (tmp_path / "3/made/turns.rttm").read_bytes()


@pytest.mark.parametrize(("sound", "speakers"), [
    ([], 0), ([tone(0.2)], 0), ([tone(60)], 0), ([tone(0.2, *LOW)], 1), ([tone(60, *LOW)], 1),
    ([tone(0.02, *LOW)], 0), ([tone(3), *[tone(1, *LOW), tone(8)] * 4], 1),
], ids=["nothing", "0.2 s of silence", "a silent film", "0.2 s of one", "one all the time", "shorter than a frame",
        "one, now and then"])
def test_edges(tmp_path: Path, sound: list[np.ndarray], speakers: int) -> None:
    made, _ = stage(tmp_path, sound)
    assert len(made.speakers) == speakers
    length_s = sum(map(len, sound)) / SAMPLE_RATE
    assert all(0 <= turn.start < turn.end <= length_s for turn in made.turns)


def test_windows_without_speech_are_not_listened_to(tmp_path: Path) -> None:
    """What is in them counts for nothing, and what is in the others is the same."""
    samples = written(tmp_path, [tone(30, *LOW), tone(10), tone(8, *HIGH), tone(12), tone(20, *LOW)])
    used, asked = tools(tmp_path / "made"), Options()
    whole, grid = listen(LoudnessSegmenter(), samples, [Span(0, 80)], asked, used)
    some, same = listen(LoudnessSegmenter(), samples, [Span(40, 48)], asked, used)
    starts = np.arange(len(whole)) * grid.step_s
    touched = (starts + 5 > 40) & (starts <= 48)
    assert same == grid and some.shape == whole.shape and 0 < touched.sum() < len(whole)
    np.testing.assert_array_equal(some[touched], whole[touched])
    assert not some[~touched].any() and whole[~touched].any()


def test_a_quiet_line_is_somebodys(tmp_path: Path) -> None:
    """The detectors hear speech up to 5.4 s; the segmentation is not sure of what comes after 5 s."""
    sound = [tone(1), tone(4, *HIGH), tone(1, HIGH[0], 0.005), tone(4), tone(5, *LOW)]
    unsure, _ = stage(tmp_path / "1", sound)
    assert [turn.end for turn in unsure.turns] == pytest.approx([5, 15], abs=0.05)
    sure, _ = stage(tmp_path / "2", sound, speech=[Span(1, 5.4), Span(10, 15)])
    assert [(turn.end, turn.speaker) for turn in sure.turns] == [
        (pytest.approx(5.4, abs=0.05), "S1"), (pytest.approx(15, abs=0.05), "S2")]


@pytest.mark.parametrize(("most", "labels"), [(40, ["S1", "S2"]), (1, ["S1"])])
def test_two_at_once_for_the_whole_length(tmp_path: Path, most: int, labels: list[str]) -> None:
    """Nobody is ever heard alone, so no sound is one person's; it is said that they are told apart only by that."""
    activity = np.zeros((30, LoudnessSegmenter.frames, 3), np.uint8)
    activity[:, :, :2] = 255
    made, used = stage(tmp_path, [tone(20, *LOW)], activity=activity, most=most)
    assert [(turn.start, turn.end, turn.speaker) for turn in made.turns] == [
        (pytest.approx(0, abs=0.05), pytest.approx(19.6, abs=0.5), label) for label in labels]
    assert "none of them alone" in used.warnings[0]
    assert len(made.overlaps) == len(labels) - 1


def test_who_speaks_over_another_keeps_the_turn(tmp_path: Path) -> None:
    segmenter = LoudnessSegmenter()
    activity = np.zeros((60, segmenter.frames, 3), np.uint8)
    centre = (np.arange(60)[:, None] * STEP_FRAMES + np.arange(segmenter.frames)) * 270 / SAMPLE_RATE + 0.031
    activity[:, :, 0] = np.where((centre > 1) & (centre < 9), 255, 0)
    activity[:, :, 1] = np.where((centre > 7) & (centre < 15), 255, 0)
    made, _ = stage(tmp_path, [tone(1), tone(6, *LOW), tone(2, *LOW), tone(6, *HIGH), tone(10)], activity=activity)
    assert len(made.speakers) == 2
    both, = made.overlaps
    assert (both.start, both.end) == pytest.approx((7, 9), abs=0.1)


@pytest.mark.parametrize(("options", "speakers"), [
    ({"count": 1}, 1), ({"most": 1}, 1), ({"count": 3}, 3), ({"least": 3}, 3), ({"count": 2}, 2),
])
def test_the_user_knows_better(tmp_path: Path, options: dict[str, int], speakers: int) -> None:
    assert len(stage(tmp_path, CONVERSATION, **options)[0].speakers) == speakers


def test_who_asks_for_names_asks_for_the_same_speakers() -> None:
    """So diarization is not done again when names are wanted later."""
    assert Options.model_validate({"speakers": "names"}) == Options(speakers="labels")


@pytest.mark.parametrize("options", [{"least": 5, "most": 2}, {"count": 0}, {"speakers": "people"}])
def test_what_cannot_be_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        settings.load({f"stages.diarization.{key}": value for key, value in options.items()}, environment={})


def test_where_it_is_not_asked_for_nothing_is_needed() -> None:
    assert diarization.STAGE.models(Options()) == ()
    asked = Options(speakers="labels")
    assert diarization.STAGE.models(asked) == ("campplus-speaker", "pyannote-segmentation-3")
    assert diarization.STAGE.models(asked.model_copy(update={"segmentation": ""})) == ("campplus-speaker",)


@pytest.mark.real
@pytest.mark.media
def test_two_real_voices_at_once(shared_media: Path, models: ModelStore, tmp_path: Path) -> None:
    """Sentences of each without their pauses, laid over one another."""
    heard = []
    for pattern in ("spk1_*.wav", "LJ*.wav"):
        steps = []
        for path in sorted((shared_media / "speech/speechbrain").glob(pattern)):
            decode.extract(path, 0, tmp_path / "one.wav")
            samples = Samples(tmp_path / "one.wav")
            steps.append(samples.slice(0, len(samples) // 320 * 320).reshape(-1, 320))
        sound = np.concatenate(steps)
        loud = (sound ** 2).mean(axis=1)
        wave = sound[loud > np.percentile(loud, 95) / 1000].ravel()
        heard.append(0.05 * wave / np.sqrt(np.mean(wave ** 2)))
    both = sum(wave[:min(map(len, heard))] for wave in heard)
    samples, used, asked = written(tmp_path, [np.clip(both, -1, 1)]), tools(tmp_path / "made"), Options()
    speech = [Span(0.2, len(samples) / SAMPLE_RATE - 0.2)]
    windows, grid = listen(OnnxSegmenter(models.path(asked.segmentation)), samples, speech, asked, used)
    made = diarize(OnnxEmbedder(models.path(asked.model)), samples, windows, grid, speech, asked, used)
    assert len(made.speakers) == 2
    assert total(made.overlaps) > 0.7 * speech[0].duration


@pytest.mark.real
@pytest.mark.media
@pytest.mark.parametrize(("name", "speakers", "rate", "options"), [
    ("composed/hi_dialogue_4spk", 4, 0.1, {}),
    ("multispeaker/pyannote_sample", 2, 0.1, {"stages.diarization.segmentation": ""})])
def test_real_voices(shared_media: Path, models: ModelStore, tmp_path: Path, name: str, speakers: int,
                     rate: float, options: dict[str, str]) -> None:
    """Both pass far below these rates; the bench has the figures."""
    base = shared_media / name
    job = pipeline.prepare(base.with_suffix(".wav"), settings.load({
        "jobs": tmp_path, "stages.diarization.speakers": "labels", **options}, environment={}))
    runner = LocalRunner(models.root, quiet=True)
    for stage_ in ("demux", "silero-vad", "pyannote-vad", "diarization"):
        pipeline.run(job, models, runner, only=stage_)
    made = SpeakerTurns.read(job.stage_folder("diarization"))
    assert len(made.speakers) == speakers
    error = diarization_error(rttm.read(base.with_suffix(".rttm")), made.turns, collar_s=0.25)
    assert error.rate <= rate
