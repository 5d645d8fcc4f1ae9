"""diarization: speech in, the speakers of the film and their turns out.

The local voices of short windows come from a segmentation model of its own: the newer one tells voices apart better
(bench/diarization.py), the one of pyannote-vad hears quiet speech better (bench/speech_activity.py). So who speaks is
asked of the one, and that somebody speaks of the other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby, islice
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from cp_whisperx import rttm
from cp_whisperx.artifacts import AudioTrack, Speaker, SpeakerActivity, SpeakerTurns
from cp_whisperx.diarization.clusters import Bounds, cluster
from cp_whisperx.diarization.cuts import Cut, at_once, cut
from cp_whisperx.diarization.tracks import Grid, voices
from cp_whisperx.diarization.turns import TurnRules, overlaps, speech_s, turns
from cp_whisperx.engines import segmentation
from cp_whisperx.engines.protocols import SpeakerEmbedder, SpeakerSegmenter
from cp_whisperx.engines.segmentation import chosen, window_count, windows_of
from cp_whisperx.engines.speaker_embedding import OnnxEmbedder
from cp_whisperx.media.samples import Samples
from cp_whisperx.stage import ImageNeeds, Inputs, Stage, StageOptions, Tools
from cp_whisperx.timeline import SAMPLE_RATE, Span, Turn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_RTTM = "turns.rttm"
_BATCH = 32
_LISTENING = 0.5
"""The share of the work that is done when all windows are heard."""
METHOD = "two-covariance agglomeration"


def _labelled(value: object) -> object:
    """Names are for subtitle-gen: who asks for them does not ask for other speakers than who asks for labels."""
    return "labels" if value == "names" else value


class Options(StageOptions):
    speakers: Annotated[Literal["off", "labels"], BeforeValidator(_labelled)] = Field(
        "off", description="Tell who speaks: not at all, or by neutral labels, which subtitle-gen may show as names")
    count: int | None = Field(None, ge=1, le=100, description="How many speakers there are; empty: found out")
    least: int = Field(1, ge=1, le=100, description="Fewest speakers there may be")
    most: int = Field(40, ge=1, le=100, description="Most speakers there may be")
    model: str = Field("campplus-speaker",
                       description="A model of the catalogue, or a folder with an ONNX model and its model.toml")
    segmentation: str = Field("pyannote-segmentation-3",
                              description="A model as of pyannote-vad; empty: what pyannote-vad heard in its windows")
    step_s: float = Field(1.0, ge=0.1, le=5, description="From one window of that model to the next, seconds")
    least_speech_s: float = Field(1.0, ge=0, description="Who speaks less than this in all is no speaker, seconds")
    threshold: float = Field(0.5, gt=0, lt=1, description="A speaker speaks at this probability")
    min_turn_s: float = Field(0.1, ge=0, description="Shorter turns are dropped, seconds")
    min_pause_s: float = Field(0.3, ge=0, description="Shorter pauses do not end a turn, seconds")

    @model_validator(mode="after")
    def _in_order(self) -> Options:
        if self.least > self.most:
            raise ValueError(f"there cannot be at least {self.least} and at most {self.most} speakers")
        return self

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.model, self.segmentation))) if self.speakers != "off" else ()

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.count or self.least, self.count or self.most, self.least_speech_s)


def run(inputs: Inputs, options: Options, tools: Tools) -> SpeakerTurns:
    if options.speakers == "off":
        tools.log.info("not asked who speaks")
        return SpeakerTurns(speakers=(), turns=(), overlaps=(), rttm=None, method="off")
    import numpy as np

    track, activity = inputs[AudioTrack], inputs[SpeakerActivity]
    samples = Samples(inputs.file(AudioTrack, track.file))
    speech = [Span(span.onset, span.offset) for span in activity.spans]
    if options.segmentation:
        segmenter = segmentation.load(tools.models.path(options.segmentation), threads=tools.threads)
        windows, grid = listen(segmenter, samples, speech, options, tools)
    else:
        windows = np.load(inputs.file(SpeakerActivity, activity.windows), allow_pickle=False, mmap_mode="r")
        grid = Grid(activity.step_s, activity.first_frame_s, activity.frame_s)
    engine = OnnxEmbedder(tools.models.path(options.model))
    tools.facts["engine"] = engine.version
    return diarize(engine, samples, windows, grid, speech, options, tools)


def listen(engine: SpeakerSegmenter, samples: Samples, speech: Sequence[Span], options: Options,
           tools: Tools) -> tuple[NDArray[np.uint8], Grid]:
    """Local speakers of all windows that hear speech, probability times 255; in the others nobody speaks.

    Shape (windows, frames, local speakers): 25 MB for four hours.
    """
    import numpy as np

    # Windows begin on frames of one another, so that their frames can be added up.
    step = max(1, round(options.step_s * SAMPLE_RATE / engine.frame_samples)) * engine.frame_samples
    places = windows_of(speech, len(samples), engine.window_samples, step)
    found = np.zeros((window_count(len(samples), engine.window_samples, step), engine.frames, engine.speakers),
                     np.uint8)
    done, length_s = 0, len(samples) / SAMPLE_RATE
    for activity in engine.activity(chosen(samples, engine.window_samples, step, places)):
        found[places[done:done + len(activity)]] = np.rint(activity * 255)
        done += len(activity)
        tools.progress(length_s * _LISTENING * done / len(places), length_s)
    return found, Grid(step / SAMPLE_RATE, engine.first_frame_samples / SAMPLE_RATE,
                       engine.frame_samples / SAMPLE_RATE)


def diarize(engine: SpeakerEmbedder, samples: Samples, windows: NDArray[np.uint8], grid: Grid, speech: Sequence[Span],
            options: Options, tools: Tools) -> SpeakerTurns:
    """The stage with its engine given. `windows`: shape (windows, frames, local speakers), probability times 255."""
    import numpy as np

    local, frames = voices(windows, grid)
    end_s = len(samples) / SAMPLE_RATE
    length_s = engine.partial_frames * engine.frame_s
    cuts = sorted(cut(local, frames, grid.frame_s, length_s), key=lambda piece: (piece.run, piece.start))
    embeddings = np.zeros((len(cuts), engine.size), np.float32)
    done = 0
    for made in embed(engine, samples, cuts, grid, tools.threads):
        embeddings[done:done + len(made)] = made
        done += len(made)
        tools.progress(end_s * (_LISTENING + (1 - _LISTENING) * done / len(cuts)), end_s)
    order = sorted(range(len(cuts)), key=lambda place: (cuts[place].start, place))
    cuts = [cuts[place] for place in order]
    seconds = np.array([(piece.end - piece.start) * grid.frame_s for piece in cuts])
    speakers = cluster(embeddings[order], seconds, np.array([piece.run for piece in cuts], np.int64), length_s,
                       options.bounds)
    if local and not cuts:
        tools.warn("voices are heard, but none of them alone: they are told apart only while they speak at once")
        cuts, labels = at_once(local, options.bounds.most)
        speakers = np.array(labels, np.int64)
    found = turns(local, cuts, speakers, frames, grid, end_s,
                  TurnRules(options.threshold, options.min_turn_s, options.min_pause_s), speech)
    return _artifact(found, tools)


def embed(engine: SpeakerEmbedder, samples: Samples, cuts: Sequence[Cut], grid: Grid,
          threads: int) -> Iterator[NDArray[np.float32]]:
    """Embeddings of the cuts, batch by batch, in order; cuts of one run lie beside each other.

    Only what the threads work on is held: features of a run are made when it is its turn.
    """
    import numpy as np

    heard = (made for _, run in groupby(cuts, key=lambda piece: piece.run)
             for made in _features(engine, samples, list(run), grid))
    waiting: deque[Future[NDArray[np.float32]]] = deque()
    with ThreadPoolExecutor(max(1, threads)) as pool:
        while batch := list(islice(heard, _BATCH)):
            waiting.append(pool.submit(engine.embed, np.stack(batch)))
            if len(waiting) > max(1, threads):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _features(engine: SpeakerEmbedder, samples: Samples, run: Sequence[Cut],
              grid: Grid) -> Iterator[NDArray[np.float32]]:
    """What the encoder hears of each cut of a run, each of shape (partial_frames, bands); short ones are repeated."""
    import numpy as np

    begin_s, size = grid.time(run[0].start), engine.partial_frames
    features = engine.features(samples.slice(round(begin_s * SAMPLE_RATE), round(grid.time(run[-1].end) * SAMPLE_RATE)))
    if not len(features):
        # The very end of the sound, shorter than a frame of the encoder.
        features = engine.features(np.zeros(SAMPLE_RATE, np.float32))[:1]
    for piece in run:
        start = min(len(features) - 1, round((grid.time(piece.start) - begin_s) / engine.frame_s))
        end = max(start + 1, round((grid.time(piece.end) - begin_s) / engine.frame_s))
        heard = features[start:end]
        spare = max(0, len(heard) - size) // 2
        yield np.resize(heard[spare:], (size, heard.shape[1])).astype(np.float32)


def _artifact(found: tuple[Turn, ...], tools: Tools) -> SpeakerTurns:
    labels = list(dict.fromkeys(turn.speaker for turn in found))
    (tools.work / _RTTM).write_text(rttm.write(found, tools.name), encoding="utf-8")
    speakers = tuple(Speaker(label=label, speech_s=speech_s(found, label)) for label in labels)
    tools.log.info(f"{len(speakers)} speakers in {len(found)} turns" if found else "nobody speaks")
    return SpeakerTurns(speakers=speakers, turns=found, overlaps=overlaps(found), rttm=_RTTM, method=METHOD)


STAGE = Stage(
    name="diarization",
    version=3,
    needs=(AudioTrack, SpeakerActivity),
    makes=SpeakerTurns,
    options=Options,
    run=run,
    image=ImageNeeds(layers=("base", "array", "onnx"), gpu=True),
    models=lambda options: options.models,
)
