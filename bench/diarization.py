"""`python bench/diarization.py MEDIA`: diarization error and speaker count of our method and of others, as dated JSON.

MEDIA is the folder of the shared test media. What is chosen (the constants of our model, the threshold of each other
method) was chosen on the conversations of the half `tune`. Its voices are not in the half `report`, but for those of
the synthesiser and for two of the four readers of the Hindi dialogue. The halves were drawn anew once, when it showed
that in the first the tuned voices had one recording each; our constants were chosen after that. DER scores overlap,
without a collar and with one of 0.25 s on each side; all seconds of a group count alike.

`ours` is what the stage does by default: speech from Silero and the older segmentation, voices from segmentation 3.0.
The other methods cluster the same cuts. `plain` is what one gets without a segmentation model: Silero, windows of
1.6 s, GE2E, spectral clustering. pyannote.audio's own pipeline is not in the table: the weights of its embedding are
in no registry package, only at its hub, behind an account. Those of its segmentation are in one;
bench/pyannote_audio.py compares what it makes of them with what we do.

`limits` says what no clustering could mend, of each recording with people in one room: the error if one voice at most,
or two at most, are heard at a time, which is as many as segmentation 3.0 can tell; and the error of our voices if the
reference said whose each cut is. `thresholds` is what a lower one for a second voice does, on the tuned half. Made
voices (`generated`) are six pitches of two: no encoder here takes pitch alone for another person, so two are found.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import clusterings
import numpy as np
from conversations import Conversation, conversations
from numpy.typing import NDArray

from cp_whisperx.diarization import clusters
from cp_whisperx.diarization import turns as film_turns
from cp_whisperx.diarization.cuts import Cut, cut
from cp_whisperx.diarization.tracks import Grid, Voice, voices
from cp_whisperx.diarization.turns import TurnRules, turns
from cp_whisperx.engines import joint_speech
from cp_whisperx.engines.segmentation import OnnxSegmenter, OverlapAdd, batches, window_count
from cp_whisperx.engines.silero import SileroDetector
from cp_whisperx.engines.speaker_embedding import OnnxEmbedder
from cp_whisperx.engines.speech_spans import SpanRules, spans
from cp_whisperx.models.store import ModelStore
from cp_whisperx.scoring.diarization import DiarizationError, diarization_error
from cp_whisperx.stages import diarization, pyannote_vad, silero_vad
from cp_whisperx.timeline import SAMPLE_RATE, Span, Turn

_PLAIN_S = 1.6
_OPTIONS = diarization.Options()
_VAD = pyannote_vad.Options()
_RULES = TurnRules(_OPTIONS.threshold, _OPTIONS.min_turn_s, _OPTIONS.min_pause_s)
_COLLARS = (0.0, 0.25)
_THRESHOLDS = (0.5, 0.4, 0.3, 0.2, 0.1)
_ONE_ROOM = ("AMI", "telephone", "Hindi dialogue")


@dataclass(frozen=True)
class Analysed:
    """A conversation as the stage sees it: `cuts` in order with their `embeddings`."""

    of: Conversation
    grid: Grid
    voices: list[Voice]
    frames: int
    cuts: list[Cut]
    embeddings: NDArray[np.float32]
    length_s: float
    cpu_s: float
    speech: tuple[Span, ...]

    @property
    def seconds(self) -> NDArray[np.float64]:
        return np.array([(piece.end - piece.start) * self.grid.frame_s for piece in self.cuts])


class _Held:
    """Samples in memory, with the face of those in a file."""

    def __init__(self, wave: NDArray[np.float32]) -> None:
        self._wave = wave

    def __len__(self) -> int:
        return len(self._wave)

    def slice(self, start: int, end: int) -> NDArray[np.float32]:
        return self._wave[max(0, start):max(0, end)]


Method = Callable[[Analysed], NDArray[np.int64]]


def speech(of: Conversation, detector: SileroDetector, segmenter: OnnxSegmenter) -> tuple[Span, ...]:
    """Where pyannote-vad hears speech by default."""
    held: Any = _Held(of.wave)
    step_frames = round(_VAD.step_s * SAMPLE_RATE / segmenter.frame_samples)
    step = step_frames * segmenter.frame_samples
    added = OverlapAdd(window_count(len(of.wave), segmenter.window_samples, step), segmenter.frames, step_frames)
    for activity in segmenter.activity(batches(held, segmenter.window_samples, step)):
        added.add(activity)
    coarse = np.concatenate(list(detector.probabilities(iter([of.wave]))))
    both = joint_speech.mean(
        joint_speech.on_cells(coarse, detector.frame_samples, detector.frame_samples / 2, len(of.wave)),
        joint_speech.on_cells(added.mean()[:, 0], segmenter.frame_samples, segmenter.first_frame_samples, len(of.wave)),
        _VAD.weight)
    rules = SpanRules(**_VAD.model_dump(exclude={"model", "step_s", "weight"}))
    return tuple(Span(span.onset, span.offset)
                 for span in spans(both, joint_speech.CELL_S, len(of.wave) / SAMPLE_RATE, rules))


def analyse(of: Conversation, segmenter: OnnxSegmenter, embedder: OnnxEmbedder,
            heard: tuple[Span, ...] = ()) -> Analysed:
    """`heard`: where detectors hear speech."""
    held: Any = _Held(of.wave)
    step = round(_OPTIONS.step_s * SAMPLE_RATE / segmenter.frame_samples) * segmenter.frame_samples
    began = time.process_time()
    activity = np.concatenate(list(segmenter.activity(batches(held, segmenter.window_samples, step))))
    grid = Grid(step / SAMPLE_RATE, segmenter.first_frame_samples / SAMPLE_RATE, segmenter.frame_samples / SAMPLE_RATE)
    found, frames = voices(np.rint(activity * 255).astype(np.uint8), grid)
    length_s = embedder.partial_frames * embedder.frame_s
    cuts = sorted(cut(found, frames, grid.frame_s, length_s), key=lambda piece: (piece.run, piece.start))
    made = np.concatenate([np.zeros((0, embedder.size), np.float32),
                           *diarization.embed(embedder, held, cuts, grid, 1)])
    order = sorted(range(len(cuts)), key=lambda place: (cuts[place].start, place))
    return Analysed(of, grid, found, frames, [cuts[place] for place in order], made[order], length_s,
                    time.process_time() - began, heard)


def ours(case: Analysed, *, count: int | None = None) -> NDArray[np.int64]:
    bounds = clusters.Bounds(count or 1, count or _OPTIONS.most, _OPTIONS.least_speech_s)
    return clusters.cluster(case.embeddings, case.seconds, np.array([piece.run for piece in case.cuts], np.int64),
                            case.length_s, bounds)


def _on_cuts(method: Callable[[NDArray[np.float64]], NDArray[np.int64]]) -> Method:
    """Another way to cluster the same cuts; who hardly speaks is dissolved as in ours."""
    def run(case: Analysed) -> NDArray[np.int64]:
        vectors = case.embeddings.astype(np.float64)
        if not len(vectors):
            return np.zeros(0, np.int64)
        return clusters.dissolve(vectors, method(vectors), case.seconds / 2, _OPTIONS.least_speech_s)
    return run


def _fixed(threshold: float) -> Method:
    return _on_cuts(lambda vectors: clusterings.average_link(vectors @ vectors.T, threshold))


OTHERS: Mapping[str, tuple[Callable[[float], Method], Sequence[float]]] = {
    "average link, fixed threshold": (_fixed, (0.3, 0.35, 0.4, 0.45, 0.5)),
    "average link, normalised scores": (
        lambda value: _on_cuts(lambda vectors: clusterings.score_normalised(vectors, value)), (0.75, 1.0, 1.25, 1.5)),
    "NME-SC": (lambda value: _on_cuts(lambda vectors: clusterings.nme_sc(vectors, value)), (0.0, 0.1, 0.2, 0.3)),
    "spectral, eigengap": (
        lambda value: _on_cuts(lambda vectors: clusterings.eigengap(vectors, value)), (0.5, 0.7, 0.8, 0.9, 0.95)),
    "label propagation": (
        lambda value: _on_cuts(lambda vectors: clusterings.whispers(vectors, value)), (0.3, 0.4, 0.5, 0.6)),
    "average link, then VBx": (
        lambda value: _on_cuts(lambda vectors: clusterings.vbx(
            vectors, clusterings.average_link(vectors @ vectors.T, 0.45), value)), (0.1, 0.2, 0.4, 0.8)),
}
"""By name: from what is tuned to the method, and the values that were tried."""


def found(case: Analysed, speakers: NDArray[np.int64]) -> tuple[Turn, ...]:
    return turns(case.voices, case.cuts, speakers, case.frames, case.grid, len(case.of.wave) / SAMPLE_RATE, _RULES,
                 case.speech)


def windows(of: Conversation, detector: SileroDetector,
            embedder: OnnxEmbedder) -> tuple[list[tuple[float, float]], NDArray[np.float64]]:
    """Start and end of half-overlapping windows of what Silero takes for speech, and their embeddings."""
    heard = list(detector.probabilities(iter([of.wave])))
    coarse = spans(np.concatenate(heard), detector.frame_samples / SAMPLE_RATE, len(of.wave) / SAMPLE_RATE,
                   SpanRules(**silero_vad.Options().model_dump()))
    places = [(start, min(span.offset, start + _PLAIN_S)) for span in coarse for start in
              np.arange(span.onset, max(span.onset + 0.1, span.offset - _PLAIN_S / 2), _PLAIN_S / 2)]
    waves = [of.wave[int(start * SAMPLE_RATE):int(end * SAMPLE_RATE)] for start, end in places]
    return places, embedder.embed_waves(waves).astype(np.float64)


def plain(places: Sequence[tuple[float, float]], vectors: NDArray[np.float64], quantile: float) -> tuple[Turn, ...]:
    """Neighbouring windows meet in the middle of what both cover."""
    labels = clusterings.eigengap(vectors, quantile).tolist()
    made: list[Turn] = []
    for (start, end), after, label in zip(places, [*places[1:], (np.inf, np.inf)], labels, strict=True):
        end = min(end, max(start, (end + after[0]) / 2)) if after[0] < end else end
        start = max(start, made[-1].end) if made else start
        if made and made[-1].speaker == f"S{label}" and start - made[-1].end < 1e-6:
            made[-1] = Turn(made[-1].start, end, made[-1].speaker)
        elif end > start:
            made.append(Turn(start, end, f"S{label}"))
    return tuple(made)


def limits(case: Analysed) -> dict[str, Any]:
    """DER that is left whatever the clustering, by what limits it and by collar."""
    reference = case.of.turns or ()
    whose = {name: number for number, name in enumerate(sorted({turn.speaker for turn in reference}))}
    labels = []
    for piece in case.cuts:
        span = Span(case.grid.time(piece.start), case.grid.time(piece.end))
        shared = dict.fromkeys(whose, 0.0)
        for turn in reference:
            shared[turn.speaker] += max(0.0, min(turn.end, span.end) - max(turn.start, span.start))
        labels.append(whose[max(shared, key=shared.__getitem__)])
    best: dict[str, Sequence[Turn]] = {
        "one voice at a time": at_most(reference, 1), "two voices at a time": at_most(reference, 2),
        "our voices, named by the reference": found(case, np.array(labels, np.int64))}
    return {"name": case.of.name, "half": case.of.half} | {
        what: {f"collar {collar_s}": round(diarization_error(
            reference, made, collar_s=collar_s, within=case.of.scored).rate, 4) for collar_s in _COLLARS}
        for what, made in best.items()}


def room(limit: Mapping[str, Any], of: Conversation, ours_: Mapping[str, Any]) -> dict[str, Any]:
    """A recording of `limits` beside our row of it: shares of what is scored, how much clustering costs, for which
    share of the time two and four speak at once, and for how long those speak who are too many for the count found.
    """
    error, length_s = ours_["collar 0.25"], len(of.wave) / SAMPLE_RATE
    spoken: dict[str, float] = {}
    for turn in of.turns or ():
        spoken[turn.speaker] = spoken.get(turn.speaker, 0.0) + turn.duration
    named = limit["our voices, named by the reference"]["collar 0.25"]
    return {**limit, "speakers": ours_["speakers"], "found": ours_["found"], "length_s": round(length_s, 2),
            "der": error["der"], "clustering": round(error["der"] - named, 4),
            **{kind: round(error[f"{kind}_s"] / error["reference_s"], 4)
               for kind in ("missed", "false_alarm", "confusion")},
            "at_once": {str(count): round(at_once(of.turns or (), count) / length_s, 4) for count in (2, 4)},
            "not_found_s": [round(seconds, 2) for seconds in sorted(spoken.values(), reverse=True)[ours_["found"]:]]}


def at_once(reference: Sequence[Turn], count: int) -> float:
    """Seconds in which `count` or more speak."""
    times = sorted({time for turn in reference for time in (turn.start, turn.end)})
    return sum(end - start for start, end in pairwise(times)
               if len({turn.speaker for turn in reference if turn.start <= start and turn.end >= end}) >= count)


def thresholds(analysed: Sequence[Analysed]) -> list[dict[str, Any]]:
    """The pooled error of recorded voices of the tuned half, by how probable a second voice has to be where somebody
    speaks.
    """
    tuned = [(case, ours(case)) for case in analysed if case.of.half == "tune"]
    result = []
    for value in _THRESHOLDS:
        with patch.object(film_turns, "_active", _second(value)):
            rows = [row(case.of, found(case, whose)) for case, whose in tuned]
        result.append({"threshold": value} | pooled(rows)["tune"]["recorded voices"])
    return result


def _second(threshold: float) -> Callable[..., list[NDArray[np.bool_]]]:
    plainly = film_turns._active

    def active(probable: Sequence[tuple[int, NDArray[np.float32]]], *rest: Any) -> list[NDArray[np.bool_]]:
        first = plainly(probable, *rest)
        spoken = np.logical_or.reduce(first) if first else np.zeros(0, bool)
        return [mask | (spoken & (one > threshold)) for mask, (_, one) in zip(first, probable, strict=True)]
    return active


def at_most(reference: Sequence[Turn], count: int) -> tuple[Turn, ...]:
    """The turns without whoever would be one too many at a time; those who speak most are kept."""
    total: dict[str, float] = {}
    for turn in reference:
        total[turn.speaker] = total.get(turn.speaker, 0.0) + turn.duration
    times = sorted({time for turn in reference for time in (turn.start, turn.end)})
    kept: list[Turn] = []
    for start, end in pairwise(times):
        speaking = {turn.speaker for turn in reference if turn.start <= start and turn.end >= end}
        kept += [Turn(start, end, name) for name in sorted(speaking, key=lambda name: (-total[name], name))[:count]]
    return tuple(kept)


def row(of: Conversation, made: Sequence[Turn]) -> dict[str, Any]:
    result: dict[str, Any] = {"name": of.name, "group": of.group, "half": of.half, "speakers": of.count,
                              "found": len({turn.speaker for turn in made})}
    if of.turns is not None:
        for collar_s in _COLLARS:
            error = diarization_error(of.turns, made, collar_s=collar_s, within=of.scored)
            result[f"collar {collar_s}"] = {"der": round(error.rate, 4)} | {
                kind: round(seconds, 3) for kind, seconds in asdict(error).items()}
    return result


def pooled(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """By half and group: DER and its parts over all seconds, and how often the count was right."""
    result: dict[str, Any] = {}
    for half in ("tune", "report"):
        of_half = [row for row in rows if row["half"] == half]
        groups = {group: [row for row in of_half if row["group"] == group]
                  for group in dict.fromkeys(row["group"] for row in of_half)}
        recorded = [row for row in of_half if row["group"] != "generated"]
        groups |= {f"{count} recorded": [row for row in recorded if row["speakers"] == count] for count in (2, 4)}
        groups["recorded voices"] = recorded
        for group, members in groups.items():
            entry: dict[str, Any] = {"count_right": sum(row["found"] == row["speakers"] for row in members),
                                     "of": len(members)}
            for collar_s in _COLLARS:
                total = DiarizationError()
                for member in members:
                    if given := member.get(f"collar {collar_s}"):
                        total += DiarizationError(*(given[kind] for kind in asdict(total)))
                share = total.reference_s or 1.0
                entry[f"collar {collar_s}"] = {
                    "der": round(total.rate, 4), "missed": round(total.missed_s / share, 4),
                    "false_alarm": round(total.false_alarm_s / share, 4),
                    "confusion": round(total.confusion_s / share, 4)}
            result.setdefault(half, {})[group] = entry
    return result


def best(tried: Mapping[float, list[dict[str, Any]]]) -> tuple[list[dict[str, Any]], float]:
    """The rows, and the value, with the lowest error on the tuned half."""
    rates = {value: pooled(rows)["tune"]["recorded voices"]["collar 0.25"]["der"] for value, rows in tried.items()}
    value = min(rates, key=rates.__getitem__)
    return tried[value], value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/diarization.py ../media")
    parser.add_argument("media", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    asked = parser.parse_args()
    store = ModelStore()
    detector = SileroDetector(store.path("silero-vad"), threads=1)
    embedders = {name: OnnxEmbedder(store.path(name)) for name in ("campplus-speaker", "ge2e-speaker")}
    segmenters = {name: OnnxSegmenter(store.path(name))
                  for name in ("pyannote-segmentation-3", "pyannote-segmentation")}
    cases = list(conversations(asked.media))
    print(f"{len(cases)} conversations, {sum(len(case.wave) for case in cases) / SAMPLE_RATE:.0f} s", file=sys.stderr)
    tables: dict[str, list[dict[str, Any]]] = {}
    heard = [speech(case, detector, segmenters["pyannote-segmentation"]) for case in cases]
    analysed = [analyse(case, segmenters["pyannote-segmentation-3"], embedders["campplus-speaker"], its)
                for case, its in zip(cases, heard, strict=True)]
    began = time.process_time()
    tables["ours"] = [row(case.of, found(case, ours(case))) for case in analysed]
    cpu_s = time.process_time() - began + sum(case.cpu_s for case in analysed)
    rtf = cpu_s / (sum(len(case.wave) for case in cases) / SAMPLE_RATE)
    tables["ours, count given"] = [row(case.of, found(case, ours(case, count=case.of.count))) for case in analysed]
    unheard = [replace(case, speech=()) for case in analysed]
    tables["ours, 3.0 alone"] = [row(case.of, found(case, ours(case))) for case in unheard]
    chosen = {}
    for name, (method, values) in OTHERS.items():
        tried = {value: [row(case.of, found(case, method(value)(case))) for case in analysed] for value in values}
        tables[name], chosen[name] = best(tried)
    for name, segmenter, embedder in (
            ("ours with GE2E", "pyannote-segmentation-3", "ge2e-speaker"),
            ("ours, older segmentation", "pyannote-segmentation", "campplus-speaker")):
        tables[name] = [row(case, found(made, ours(made))) for case, its in zip(cases, heard, strict=True)
                        for made in [analyse(case, segmenters[segmenter], embedders[embedder], its)]]
    coarse = [windows(case, detector, embedders["ge2e-speaker"]) for case in cases]
    tables["plain"], chosen["plain"] = best({quantile: [
        row(case, plain(*given, quantile)) for case, given in zip(cases, coarse, strict=True)]
        for quantile in (0.5, 0.7, 0.8, 0.9, 0.95)})
    summary = {name: pooled(rows) for name, rows in tables.items()}
    for half in ("tune", "report"):
        print(f"{half:34}" + "".join(f"{group:>26}" for group in summary["ours"][half]))
        for name, entry in summary.items():
            print(f"{name:34}" + "".join(
                f"{100 * part['collar 0.0']['der']:9.1f}{100 * part['collar 0.25']['der']:7.1f}"
                f"{part['count_right']:5}/{part['of']:<4}" for part in entry[half].values()))
    result = {
        "what": "DER % without a collar, with 0.25 s, and how often the number of speakers is right; by group",
        "not_here": {"pyannote.audio's own pipeline": "the weights of its embedding are in no registry package"},
        "date": datetime.date.today().isoformat(), "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "python": platform.python_version(), "cpu_seconds_per_second_of_sound": round(rtf, 4), "chosen": chosen,
        "summary": summary,
        "limits": [room(limits(case), case.of, made) for case, made in zip(analysed, tables["ours"], strict=True)
                   if case.of.turns and case.of.group in _ONE_ROOM],
        "thresholds": thresholds(analysed), "conversations": tables["ours"],
    }
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / f"diarization-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()
