"""The command that measures subtitles against a reference, several systems side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from cp_whisperx import rttm as turn_files
from cp_whisperx.cli.flags import json_flag
from cp_whisperx.cli.output import print_json
from cp_whisperx.cli.subtitles import (
    film_flag,
    fps_flag,
    language_flag,
    language_of,
    picture_of,
    profile_flag,
    profile_for,
)
from cp_whisperx.subtitles import profiles, reading
from cp_whisperx.subtitles.checking import ASSUMED_FRAME_RATE, check
from cp_whisperx.subtitles.evaluating import Evaluation, Reference, evaluate, read_names, read_reference
from cp_whisperx.subtitles.evaluating.evaluate import Offsets, turns_of
from cp_whisperx.timeline import Cue

_NO_CUES = (".stm", ".txt", ".rttm")
"""Suffixes of files that are words or turns, and no subtitles: their rules are not counted."""


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _frames(offsets: Offsets | None, part: str) -> str:
    return "-" if offsets is None else f"{getattr(offsets, part):g}"


ROWS: tuple[tuple[str, Callable[[Evaluation], str]], ...] = (
    ("cues", lambda one: str(one.cues)),
    ("WER", lambda one: _share(one.wer)),
    ("CER", lambda one: _share(one.cer)),
    ("words wrong / lost / added", lambda one: " / ".join(
        str(one.words[kind]) for kind in ("substituted", "deleted", "inserted")) if one.words else "-"),
    ("DER", lambda one: _share(one.der)),
    ("DER, collar 0.25 s", lambda one: _share(one.der_collar)),
    ("in-cue off, frames: median", lambda one: _frames(one.in_cue, "median")),
    ("  95 % within", lambda one: _frames(one.in_cue, "p95")),
    ("  bias (late +)", lambda one: _frames(one.in_cue, "bias")),
    ("  cues compared", lambda one: _frames(one.in_cue, "count")),
    ("out-cue off, frames: median", lambda one: _frames(one.out_cue, "median")),
    ("  95 % within", lambda one: _frames(one.out_cue, "p95")),
    ("  bias (late +)", lambda one: _frames(one.out_cue, "bias")),
    ("  cut short", lambda one: _share(one.out_cue.early if one.out_cue else None)),
    ("  lingering", lambda one: _share(one.out_cue.late if one.out_cue else None)),
    ("speech without a cue, s", lambda one: "-" if one.uncovered_s is None else f"{one.uncovered_s:.1f}"),
    ("  share of the speech", lambda one: _share(one.uncovered_s / one.speech_s)
        if one.uncovered_s is not None and one.speech_s else "-"),
    ("names right", lambda one: f"{one.names.right} of {one.names.expected}" if one.names else "-"),
    ("names added", lambda one: str(one.names.extra) if one.names else "-"),
    ("cues that keep all rules", lambda one: _share(one.cues_that_pass)),
    ("  of the profile", lambda one: one.profile or "-"),
)
"""What the table shows, a row each."""


@click.command("eval")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="HYP...")
@click.option("--reference", type=click.Path(path_type=Path), required=True,
              help="What is true: srt, vtt… (words and times), stm (speakers too), txt (words), rttm (speakers)")
@click.option("--rttm", type=click.Path(path_type=Path), help="Who truly speaks when, if --reference does not say it")
@click.option("--names", type=click.Path(path_type=Path), help="A file with a name a line, to look for in the text")
@click.option("--spell-numbers", is_flag=True, help='"21" counts as "twenty one" (English)')
@profile_flag
@film_flag
@language_flag
@fps_flag
@json_flag
def eval_(files: Sequence[Path], reference: Path, rttm: Path | None, names: Path | None, spell_numbers: bool,
          profile: str | None, film: Path | None, language: str, fps: float | None, as_json: bool) -> None:
    """Measure subtitles against a reference: words, speakers, times, coverage, rules and names.

    \b
    Examples:
      cp-whisperx eval ours.srt theirs.srt --reference true.srt --fps 25
      cp-whisperx eval Film.hi.vtt --reference true.stm --names cast.txt --json
    Words are compared without case, punctuation and what stands in [brackets]; Hindi in one Unicode form. Cues are
    compared with the reference where both begin (or end) with the same word.
    """
    picture = picture_of(film, fps)
    truth = read_reference(reference)
    if rttm is not None:
        truth = replace(truth, turns=turn_files.read(rttm))
    wanted = read_names(names) if names else ()
    made: dict[str, Evaluation] = {}
    for file in files:
        rate = picture.frame_rate or ASSUMED_FRAME_RATE
        if file.suffix.lower() in _NO_CUES:
            made[str(file)] = _plain(file, truth, rate, wanted, spell_numbers)
            continue
        found = reading.read(file, picture.frame_rate)
        spoken = language_of(found, language)
        report = check(found.cues, profile_for(found, profile, spoken), frame_rate=picture.frame_rate,
                       cuts=picture.cuts, language=spoken, resolution_s=found.resolution_s)
        made[str(file)] = evaluate(found.cues, truth, turns=turns_of(found.cues), frame_rate=rate, report=report,
                                   names=wanted, spell_numbers=spell_numbers)
    if as_json:
        print_json({"reference": str(reference), "profile": profile or profiles.AUTO,
                    "systems": [{"file": name, **one.as_dict()} for name, one in made.items()]})
    else:
        _table(made)


def _plain(file: Path, truth: Reference, rate: float, names: Sequence[str], spell_numbers: bool) -> Evaluation:
    """Of words or turns that are no cues: what can be measured of them."""
    given = read_reference(file)
    if not given.utterances:
        # Words without times say nothing about times.
        truth = Reference(truth.text, (), truth.turns) if given.text else Reference(turns=truth.turns)
    cues = [Cue(one.start, one.end, (one.text,)) for one in given.utterances] or [Cue(0, 0, (given.text,))]
    made = evaluate(cues, truth, turns=given.turns, frame_rate=rate, names=names, spell_numbers=spell_numbers)
    return made if given.utterances else replace(made, cues=0, speech_s=None, uncovered_s=None)


def _table(made: dict[str, Evaluation]) -> None:
    names = [Path(name).name for name in made]
    if len(set(names)) < len(names):
        # Paths would be wider than any screen.
        for number, name in enumerate(made, 1):
            click.echo(f"#{number}: {name}")
        names = [f"#{number}" for number in range(1, len(made) + 1)]
    widths = [max(12, len(name)) for name in names]
    click.echo(f"{'':30}" + "  ".join(name.rjust(width) for name, width in zip(names, widths, strict=True)))
    for title, shown in ROWS:
        values = [shown(one) for one in made.values()]
        if any(value != "-" for value in values):
            click.echo(f"{title:30}" + "  ".join(value.rjust(width) for value, width
                                                 in zip(values, widths, strict=True)))
    rules = [rule for one in made.values() for rule, count in one.rules.items() if count]
    for rule in dict.fromkeys(rules):
        click.echo(f"{'  breaks ' + rule:30}" + "  ".join(
            str(one.rules.get(rule, "-")).rjust(width) for one, width in zip(made.values(), widths, strict=True)))
    for name, one in zip(names, made.values(), strict=True):
        if one.names and one.names.missing:
            click.echo(f"names missing in {name}: {', '.join(one.names.missing)}")
