"""silero-vad: samples in, the spans where somebody speaks out."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from cp_whisperx.artifacts import AudioTrack, Speech
from cp_whisperx.engines.speech_spans import SpanRules, spans
from cp_whisperx.media.samples import Samples
from cp_whisperx.stage import ImageNeeds, Inputs, Stage, StageOptions, Tools
from cp_whisperx.timeline import SAMPLE_RATE, ms, total

_MODEL = "silero-vad"
_FRAMES = "frames.npy"
_BLOCK_FRAMES = 512


class Options(StageOptions):
    threshold: float = Field(0.35, ge=0, le=1, description="Speech begins at this probability")
    release: float = Field(0.15, ge=0, le=1, description="Speech goes on down to this probability")
    peak: float = Field(0.5, ge=0, le=1, description="A span that never reaches this probability is dropped")
    min_speech_s: float = Field(0.1, ge=0, description="Shorter speech is dropped, seconds")
    min_silence_s: float = Field(0.3, ge=0, description="Shorter pauses do not end a span, seconds")
    pad_s: float = Field(0.2, ge=0, description="Kept before and after each span, seconds")
    max_span_s: float = Field(25.0, ge=5, le=29, description="Longer spans are cut where speech is least likely")


def run(inputs: Inputs, options: Options, tools: Tools) -> Speech:
    import numpy as np

    from cp_whisperx.engines.silero import SileroDetector

    track = inputs[AudioTrack]
    samples = Samples(inputs.file(AudioTrack, track.file))
    # One thread: the LSTM runs frame by frame, and the result must not depend on how many cores there are.
    detector = SileroDetector(tools.models.path(_MODEL), threads=1)
    tools.facts["engine"] = detector.version

    def blocks() -> Iterator[np.typing.NDArray[np.float32]]:
        step = _BLOCK_FRAMES * detector.frame_samples
        for start in range(0, len(samples), step):
            yield samples.slice(start, start + step)
            tools.progress(min(len(samples), start + step) / SAMPLE_RATE, track.duration_s)

    heard = list(detector.probabilities(blocks()))
    probabilities = np.concatenate(heard) if heard else np.zeros(0, np.float32)
    np.save(tools.work / _FRAMES, probabilities.astype(np.float16), allow_pickle=False)
    rules = SpanRules(**options.model_dump())
    found = spans(probabilities, detector.frame_samples / SAMPLE_RATE, track.duration_s, rules)
    speech_s = ms(total(found))
    tools.log.info(f"{speech_s:.0f} s of speech in {len(found)} spans")
    return Speech(spans=found, frames=_FRAMES, frame_samples=detector.frame_samples, speech_s=speech_s)


STAGE = Stage(
    name="silero-vad",
    version=1,
    needs=(AudioTrack,),
    makes=Speech,
    options=Options,
    run=run,
    image=ImageNeeds(layers=("base", "array", "onnx"), gpu=True),
    models=lambda options: (_MODEL,),
)
