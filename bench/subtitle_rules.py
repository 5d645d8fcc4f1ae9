"""`python bench/subtitle_rules.py`: do our cues keep the rules of every profile, by `check`? A table and dated JSON.

What is heard once becomes cues by every profile, those files are read back, and the validator that shares nothing
with the code that makes cues has its say, with the frame rate and the cuts of the film. Where a rule cannot be kept
(speech faster than the limit) the cue must have said so itself: `undeclared` counts breaches that it did not declare.

  films    the demo scene and the shared test media with speech, each through the whole pipeline with base
  2 h en   the lines of a made scene of two hours, as it schedules them; a recogniser would take too long here, so its
           words are the written ones, spread over the known time of their line; a cut every one to eight seconds
  2 h hi   the same with the Hindi dialogue and its reference times, over and over; in Roman letters for hi-latn

Reading speed is broken without need if the cue could have been shown longer: `needless` counts cues that are too
fast, or too short, although no limit of the profile (the next cue, longest hang after the speech, longest duration, a
cut) holds their out-time where it is.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from jobs import run, save

from cp_whisperx.artifacts import AudioTrack, Glossary, NamedTranscript, SpeakerActivity, SpeakerTurns, Transcript
from cp_whisperx.job import Job
from cp_whisperx.romanise import romanise
from cp_whisperx.stage import Inputs
from cp_whisperx.stages import subtitle_gen
from cp_whisperx.subtitles import cueing, profiles, reading
from cp_whisperx.subtitles.checking import Report, check
from cp_whisperx.subtitles.cueing import cues
from cp_whisperx.subtitles.formats import Sheet, write
from cp_whisperx.subtitles.grid import Grid
from cp_whisperx.subtitles.profiles import Profile
from cp_whisperx.subtitles.text import width
from cp_whisperx.timeline import Cue, Word
from scenes import SceneSpec, build
from scenes.schedule import schedule

_MODEL = "base"
_LONG_S = 7200.0
_SEED = 11
_DECLARED = {
    "reading-speed": "cps_target", "reading-speed-hard": "cps_target", "min-duration": "min_duration_s",
    "chaining": "chain_below_s", "no-split": "no_split", "shot-out-before": "shot_out_before_frames",
    "shot-out-after": "shot_out_after_frames", "in-cue": "in_tolerance_frames",
    "shot-in-after": "in_tolerance_frames", "shot-in-before": "in_tolerance_frames"}
"""By rule of the validator, what a cue that cannot keep it calls it."""
_ENGLISH = ("netflix", "netflix-en", "netflix-en-sdh", "bbc")
_HINDI = ("netflix", "netflix-hi", "netflix-hi-sdh", "bbc")
_ROMAN = ("netflix-hi-latn",)
_SHOWN = 40


@dataclass(frozen=True)
class Heard:
    """What cues are made of, in film time. `cuts`: None if the film has no picture that could be looked at."""

    film: str
    language: str
    words: tuple[Word, ...]
    frame_rate: float | None
    cuts: tuple[float, ...] | None
    sung: frozenset[int] = frozenset()
    names: tuple[str, ...] = ()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="example: python bench/subtitle_rules.py")
    parser.add_argument("--media", type=Path, default=Path(__file__).parents[2] / "shared" / "media")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--jobs", type=Path, help="keep the jobs here, and go on from those that are there")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        for heard in _everything(given.media, given.jobs or work / "jobs"):
            rows += [_measured(heard, name, work) for name in _profiles_for(heard)]
            # What was measured is kept, whatever becomes of the next film.
            _save(given.out, rows)
    for row in _totals(rows):
        print(f"{row['set']:10} {row['profile']:16} {row['cues']:6} cues  {row['pass']:8.2%} pass  "
              f"undeclared {row['undeclared']:3}  needless {row['needless']:3}  {row['broken']}")


def _save(out: Path, rows: Sequence[dict[str, Any]]) -> None:
    save(out, "subtitle-rules", {
        "what": "cues that keep every rule of a profile, by the validator, and breaches that the cue did not declare",
        "model": _MODEL, "two_hours": "written words spread over the known times of their lines, not recognised",
        "totals": _totals(rows), "rows": rows})


def _everything(media: Path, jobs: Path) -> Iterator[Heard]:
    yield _two_hours()
    told = _hindi(media / "composed" / "hi_dialogue_4spk.stm")
    yield told
    yield replace(told, film="2 h hi, romanised", words=tuple(
        replace(word, text=romanise(word.text)) for word in told.words))
    if not (jobs / "demo.mkv").exists():
        build(SceneSpec(), jobs, "demo")
    yield _from_job("demo", run(jobs / "demo.mkv", jobs, _MODEL, "--source", "en"))
    for film, options in _shared(media):
        yield _from_job(film.relative_to(media).as_posix(), run(film, jobs, _MODEL, "--speakers", "labels", *options))


def _shared(media: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Not hindi/stories: the composed dialogue has all of them."""
    hindi, sound = ("--source", "hi"), (".wav", ".mp3", ".flac")
    yield media / "containers" / "talking_video_42s.mp4", ()
    yield media / "composed" / "hi_dialogue_4spk.wav", hindi
    for folder, options in (("multispeaker", ()), ("speech", ()), ("hindi", hindi)):
        yield from ((film, options) for film in sorted((media / folder).rglob("*"))
                    if film.suffix in sound and film.parent.name != "stories")


def _from_job(film: str, job: Job) -> Heard:
    """As the stage makes it of the same artifacts."""
    inputs = Inputs(job, (AudioTrack, SpeakerActivity, SpeakerTurns, Glossary, Transcript, NamedTranscript))
    track, what = inputs[AudioTrack], subtitle_gen.heard(inputs, {})
    words = tuple(subtitle_gen.in_film_time(word, track.time_map) for word in what.words)
    return Heard(film, what.language, words, track.frame_rate if track.has_picture else None, what.cuts, what.sung,
                 what.names)


def _two_hours() -> Heard:
    spec = SceneSpec(seed=_SEED, length_s=_LONG_S, pause_min_s=0.15, pause_max_s=1.5, sample_rate_hz=16_000)
    planned = schedule(spec, "dialogue")
    words = [word for cue in planned.cues for word in _spread(
        cue.line.text, cue.onset / planned.rate_hz, cue.end / planned.rate_hz, cue.line.speaker)]
    return Heard("2 h en", "en", tuple(words), float(spec.fps), _cuts(_LONG_S, spec.fps))


def _hindi(stm: Path) -> Heard:
    turns = [line.split(maxsplit=5) for line in stm.read_text(encoding="utf-8").splitlines() if line.strip()]
    length = float(turns[-1][4]) + 1.0
    words: list[Word] = []
    at = 0.0
    while at + length < _LONG_S:
        for _, _, speaker, start, end, text in turns:
            words += _spread(text, at + float(start), at + float(end), speaker)
        at += length
    return Heard("2 h hi", "hi", tuple(sorted(words)), 25.0, _cuts(_LONG_S, 25))


def _spread(text: str, start: float, end: float, speaker: str) -> Iterator[Word]:
    parts = text.split()
    letters = [width(part) + 1 for part in parts]
    edges = [start + (end - start) * sum(letters[:number]) / sum(letters) for number in range(len(parts) + 1)]
    for part, (begins, ends) in zip(parts, pairwise(edges), strict=True):
        yield Word(round(begins, 3), round(ends, 3), f" {part}", 1.0, speaker=speaker)


def _cuts(length_s: float, fps: int) -> tuple[float, ...]:
    chance, at, made = random.Random(_SEED), 0.0, []
    while (at := at + chance.uniform(1.0, 8.0)) < length_s:
        made.append(round(round(at * fps) / fps, 3))
    return tuple(made)


def _profiles_for(heard: Heard) -> tuple[str, ...]:
    if heard.film.endswith("romanised"):
        return _ROMAN
    return _HINDI if heard.language == "hi" else _ENGLISH


def _measured(heard: Heard, name: str, work: Path) -> dict[str, Any]:
    profile = profiles.named(name)
    shown = {word.speaker for word in heard.words if word.speaker} if name.endswith("-sdh") else set()
    labels = {speaker: profile.speaker_label.replace("{NAME}", speaker.upper()).replace("{name}", speaker)
              for speaker in shown}
    made = cues(heard.words, profile, grid=Grid.of(heard.frame_rate), language=heard.language, names=heard.names,
                sung=heard.sung, cuts=heard.cuts or (), labels=labels)
    path = write(Sheet(made, heard.language, "film", heard.frame_rate), ("srt",), work, "film")["srt"]
    read = reading.read(path).cues if made else ()
    report = check(read, profile, frame_rate=heard.frame_rate, cuts=heard.cuts, language=heard.language)
    broken = {rule: count for rule, count in report.counts().items() if count}
    undeclared = [] if len(read) == len(made) else [f"{len(made)} cues written, {len(read)} read"]
    undeclared += list(_undeclared(made, report))
    needless = list(_needless(made, heard, profile))
    # A pair that is divided is no matter of time, and nothing was paid for it there.
    least = sum(any(breach.rule != "no_split" for breach in cue.breaches) for cue in _as_few_breaches(
        lambda: cues(heard.words, profile, grid=Grid.of(heard.frame_rate), language=heard.language, names=heard.names,
                     sung=heard.sung, cuts=heard.cuts or (), labels=labels)))
    told = (undeclared + needless)[:_SHOWN]
    row: dict[str, Any] = {
        "film": heard.film, "language": heard.language, "profile": name, "words": len(heard.words),
        "cues": len(made), "pass": round(report.pass_rate, 4), "broken_cues": len(report.broken), "broken": broken,
        "undeclared": len(undeclared), "needless": len(needless), "broken_at_any_price": least, "told": told,
        "cue_by_cue": [{"cue": number, "breaches": [[one.rule, one.value, one.limit] for one in cue.breaches]}
                       for number, cue in enumerate(made, 1) if cue.breaches][:_SHOWN]}
    print(f"{heard.film[-44:]:44} {name:16} {len(made):5} cues {report.pass_rate:8.2%} "
          f"({least} of {len(report.broken)} at any price)  {broken or ''}"
          + "".join(f"\n    {one}" for one in told[:8]), flush=True)
    return row


def _as_few_breaches(make: Callable[[], tuple[Cue, ...]]) -> tuple[Cue, ...]:
    """Cues made as if nothing but the rules of time counted: how few breaches any cutting has."""
    kept = cueing.COSTS
    cueing.COSTS = replace(kept, cue=0.001, ends=dict.fromkeys(kept.ends, 0.0), pause=0.0, silence_s=0.0,
                           sentence_inside=0.0, dialogue=0.0, orphan=0.0, fast=100.0, fast_cps=0.0, short=100.0,
                           short_s=0.0, crossed=0.0, at_cut=100.0, open_gap=100.0)
    try:
        return make()
    finally:
        cueing.COSTS = kept


def _undeclared(made: Sequence[Cue], report: Report) -> Iterator[str]:
    for outcome in report.outcomes:
        for finding in outcome.findings:
            cue = made[finding.cue - 1]
            if _DECLARED.get(outcome.rule) not in {breach.rule for breach in cue.breaches}:
                yield f"undeclared {outcome.rule}, cue {finding.cue}: {finding.value}: {' / '.join(cue.lines)}"


def _needless(made: Sequence[Cue], heard: Heard, profile: Profile) -> Iterator[str]:
    """Cues that lack time although some later frame breaks no rule of out-times."""
    frame = 1 / (heard.frame_rate or 24.0)
    for number, cue in enumerate(made):
        if not {"cps_target", "min_duration_s"} & {breach.rule for breach in cue.breaches} or cue.words is None:
            continue
        following = made[number + 1].start if number + 1 < len(made) else float("inf")
        spoken = max(word.end for word in heard.words[slice(*cue.words)])
        latest = min(following - profile.min_gap_frames * frame, spoken + profile.linger_s,
                     cue.start + (profile.max_duration_s or float("inf")))
        later = [end for step in range(2, int((latest - cue.end) / frame)) if _free(
            end := cue.end + step * frame, following, heard.cuts or (), profile, frame)]
        if later:
            yield (f"needless, cue {number + 1}: {cue.cps} cps, {cue.end - cue.start:.2f} s, could end "
                   f"{later[-1] - cue.end:.2f} s later: {' / '.join(cue.lines)}")


def _free(end: float, following: float, cuts: Sequence[float], profile: Profile, frame: float) -> bool:
    """A cue may end there: no gap that should be closed, no cut too near."""
    if profile.min_gap_frames * frame + frame / 2 < following - end < profile.chain_below_s:
        return False
    position = bisect_right(cuts, end + frame / 2)
    ahead = cuts[position] - end if position < len(cuts) else float("inf")
    behind = end - cuts[position - 1] if position else float("inf")
    return ahead > (profile.shot_out_before_frames - 0.5) * frame and behind > profile.shot_out_after_frames / 24


def _totals(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    sets: dict[str, Callable[[str], bool]] = {
        "demo": lambda film: film == "demo", "2 h": lambda film: film.startswith("2 h"),
        "shared": lambda film: "/" in film}
    made = []
    for name, belongs in sets.items():
        for profile in dict.fromkeys(row["profile"] for row in rows):
            of = [row for row in rows if row["profile"] == profile and belongs(row["film"])]
            count = sum(row["cues"] for row in of)
            if count:
                broken: Counter[str] = Counter()
                for row in of:
                    broken.update(row["broken"])
                made.append({"set": name, "profile": profile, "films": len(of), "cues": count,
                             "pass": round(1 - sum(row["broken_cues"] for row in of) / count, 5),
                             "undeclared": sum(row["undeclared"] for row in of),
                             "needless": sum(row["needless"] for row in of), "broken": dict(broken)})
    return made


if __name__ == "__main__":
    main()
