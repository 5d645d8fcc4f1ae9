"""pyannote-vad: coarse speech in, speech that two detectors agree on out, and who of a few local voices speaks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pydantic import Field

from cp_whisperx.artifacts import AudioTrack, DetectorShare, SpeakerActivity, Speech
from cp_whisperx.engines import joint_speech, segmentation
from cp_whisperx.engines.protocols import SpeakerSegmenter
from cp_whisperx.engines.segmentation import OverlapAdd, batches, window_count
from cp_whisperx.engines.speech_spans import SpanRules, spans
from cp_whisperx.media.samples import Samples
from cp_whisperx.stage import ImageNeeds, Inputs, Stage, StageOptions, Tools
from cp_whisperx.timeline import SAMPLE_RATE, ms, total

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FRAMES = "frames.npy"
_WINDOWS = "windows.npy"
ALONE = {"threshold": 0.5, "release": 0.35, "peak": 0.5}
"""What the segmentation would be asked if it stood alone: pyannote's usual onset, and hysteresis below it."""


class Options(StageOptions):
    model: str = Field("pyannote-segmentation",
                       description="A model of the catalogue, or a folder with a model and its model.toml")
    step_s: float = Field(0.5, ge=0.1, le=5, description="From one window to the next, seconds")
    weight: float = Field(0.5, ge=0, le=1, description="Weight of the segmentation in the mean; the rest is Silero's")
    threshold: float = Field(0.5, ge=0, le=1, description="Speech begins where the mean reaches this probability")
    release: float = Field(0.35, ge=0, le=1, description="Speech goes on down to this probability")
    peak: float = Field(0.8, ge=0, le=1, description="A span that never reaches this probability is dropped")
    min_speech_s: float = Field(0.1, ge=0, description="Shorter speech is dropped, seconds")
    min_silence_s: float = Field(0.3, ge=0, description="Shorter pauses do not end a span, seconds")
    pad_s: float = Field(0.2, ge=0, description="Kept before and after each span, seconds")
    max_span_s: float = Field(25.0, ge=5, le=29, description="Longer spans are cut where speech is least likely")


def run(inputs: Inputs, options: Options, tools: Tools) -> SpeakerActivity:
    import numpy as np

    track, speech = inputs[AudioTrack], inputs[Speech]
    samples = Samples(inputs.file(AudioTrack, track.file))
    engine = segmentation.load(tools.models.path(options.model), threads=tools.threads)
    tools.facts["engine"] = engine.version
    coarse = np.load(inputs.file(Speech, speech.frames), allow_pickle=False).astype(np.float32)
    return refine(engine, samples, speech, coarse, options, tools)


def refine(engine: SpeakerSegmenter, samples: Samples, speech: Speech, coarse: NDArray[np.float32], options: Options,
           tools: Tools) -> SpeakerActivity:
    """The stage with its engine given. `coarse`: Silero's probabilities, one for each `speech.frame_samples`."""
    import numpy as np

    # Windows begin on frames of one another, so that their frames can be added up.
    step_frames = max(1, round(options.step_s * SAMPLE_RATE / engine.frame_samples))
    heard = _listen(engine, samples, step_frames, tools)
    np.save(tools.work / _FRAMES, heard.astype(np.float16), allow_pickle=False)
    duration_s = len(samples) / SAMPLE_RATE

    rules = SpanRules(**options.model_dump(exclude={"model", "step_s", "weight"}))
    fine = joint_speech.on_cells(heard[:, 0], engine.frame_samples, engine.first_frame_samples, len(samples))
    both = joint_speech.mean(
        joint_speech.on_cells(coarse, speech.frame_samples, speech.frame_samples / 2, len(samples)), fine,
        options.weight)
    both = joint_speech.begun(both, fine, options.threshold)
    kept = spans(both, joint_speech.CELL_S, duration_s, rules)
    alone = spans(fine, joint_speech.CELL_S, duration_s, replace(rules, **ALONE))
    shares = []
    for detector, its in (("silero", speech.spans), ("segmentation", alone)):
        lost, invented = joint_speech.lost_and_invented(its, kept)
        shares.append(DetectorShare(detector=detector, lost_s=ms(lost), invented_s=ms(invented)))
        tools.log.info(f"{detector} alone would have lost {lost:.1f} s and invented {invented:.1f} s")
    speech_s = ms(total(kept))
    tools.log.info(f"{speech_s:.0f} s of speech in {len(kept)} spans, {speech.speech_s:.0f} s before")
    return SpeakerActivity(
        spans=kept, speech_s=speech_s, frames=_FRAMES, windows=_WINDOWS,
        window_s=engine.window_samples / SAMPLE_RATE, step_s=step_frames * engine.frame_samples / SAMPLE_RATE,
        first_frame_s=engine.first_frame_samples / SAMPLE_RATE, frame_s=engine.frame_samples / SAMPLE_RATE,
        shares=tuple(shares))


def _listen(engine: SpeakerSegmenter, samples: Samples, step_frames: int, tools: Tools) -> NDArray[np.float32]:
    """Writes the windows down as they come; returns speech and overlap of every frame in the sound, shape (n, 2)."""
    import numpy as np

    step = step_frames * engine.frame_samples
    count = window_count(len(samples), engine.window_samples, step)
    added = OverlapAdd(count, engine.frames, step_frames)
    done = 0
    with _windows_file(tools.work / _WINDOWS, (count, engine.frames, engine.speakers)) as file:
        for activity in engine.activity(batches(samples, engine.window_samples, step)):
            file.write(np.rint(activity * 255).astype(np.uint8).tobytes())
            added.add(activity)
            done += len(activity)
            tools.progress(min(len(samples), done * step) / SAMPLE_RATE, len(samples) / SAMPLE_RATE)
    inside = -(-(len(samples) - engine.first_frame_samples) // engine.frame_samples)
    return added.mean()[:max(0, int(inside))]


def _windows_file(path: Path, shape: tuple[int, ...]) -> BinaryIO:
    """A .npy file of uint8, open behind its header: what is written next is its content."""
    import numpy as np

    file = path.open("wb")
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return file


STAGE = Stage(
    name="pyannote-vad",
    version=2,
    needs=(AudioTrack, Speech),
    makes=SpeakerActivity,
    options=Options,
    run=run,
    image=ImageNeeds(layers=("base", "array", "onnx"), gpu=True),
    models=lambda options: (options.model,),
)
