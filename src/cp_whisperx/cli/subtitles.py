"""The commands about subtitle files, ours or anybody's: check, fix, eval."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from cp_whisperx.cli.flags import json_flag
from cp_whisperx.cli.output import print_json, tell, understood
from cp_whisperx.media.probe import probe
from cp_whisperx.subtitles import profiles, reading
from cp_whisperx.subtitles.checking import Report
from cp_whisperx.subtitles.checking import check as checked

BROKEN = 1
"""Exit code of a check that was done and found broken rules: an answer, and no error of the tree."""
_SHOWN = 12

profile_flag = click.option("--profile", metavar="NAME|FILE", help=f"{', '.join(profiles.names())}, or a TOML file of "
                            "your own [by language and script]")
film_flag = click.option("--film", type=click.Path(path_type=Path), help="The film: for its frame rate and shot changes")
fps_flag = click.option("--fps", type=click.FloatRange(5, 240), help="Frames per second, where no film says it")
language_flag = click.option("--language", default="und", help="ISO 639-1, such as hi [by script]")


@dataclass(frozen=True)
class Picture:
    """What a film adds: `frame_rate` per second and `cuts` in film time, None where it is not known."""

    frame_rate: float | None = None
    cuts: tuple[float, ...] | None = None


def picture_of(film: Path | None, fps: float | None) -> Picture:
    if film is None:
        return Picture(fps)
    moving = next((stream for stream in probe(film).streams if stream.is_picture), None)
    if moving is None:
        return Picture(fps)
    return Picture(fps or moving.frame_rate)


def profile_for(found: reading.Found, wanted: str | None, language: str) -> profiles.Profile:
    if wanted is not None:
        return profiles.load(wanted)
    text = " ".join(line for cue in found.cues for line in cue.lines)
    if language == "und" and any("\u0900" <= character <= "\u097f" for character in text):
        language = "hi"
    return profiles.named(profiles.default_name(language, text))


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@profile_flag
@film_flag
@language_flag
@fps_flag
@json_flag
def check(files: Sequence[Path], profile: str | None, film: Path | None, language: str, fps: float | None,
          as_json: bool) -> None:
    """Check subtitle files of any origin against the rules of a profile.

    \b
    Examples:
      cp-whisperx check Film.en.srt --profile netflix-en --film Film.mkv
      cp-whisperx check *.srt --profile bbc --json
    Ends with 0 if every rule that could be checked holds, with 1 if a cue breaks one, and with a higher code if a
    file cannot be read. With --json one object per file, a line each.
    """
    picture = picture_of(film, fps)
    worst = 0
    for file in files:
        try:
            found = reading.read(file, picture.frame_rate)
            report = checked(found.cues, profile_for(found, profile, language),
                             frame_rate=picture.frame_rate or found.frame_rate, cuts=picture.cuts, language=language,
                             resolution_s=found.resolution_s)
        except BrokenPipeError:
            raise
        except Exception as error:
            # Whatever became of one file, the next has its chance.
            told = understood(error)
            worst = max(worst, told.exit_code)
            tell(told)
            if as_json:
                print_json({"file": str(file), "error": told.as_dict()})
            continue
        worst = max(worst, 0 if report.passed else BROKEN)
        if as_json:
            print_json({"file": str(file), "format": found.format, "encoding": found.encoding,
                        "notes": list(found.notes), **report.as_dict()})
        else:
            _show(file, found, report)
    sys.exit(worst)


def _show(file: Path, found: reading.Found, report: Report) -> None:
    rate = f"{report.frame_rate:g} frames a second" + ("" if report.frame_rate_known else ", assumed")
    click.echo(f"{file}: {report.cues} cues, {found.format} in {found.encoding}, against {report.profile} ({rate})")
    for note in found.notes:
        click.echo(f"  note: {note}")
    for outcome in report.outcomes:
        if outcome.result == "off":
            continue
        numbers = " ".join(map(str, outcome.cues[:_SHOWN]))
        more = f" and {len(outcome.cues) - _SHOWN} more" if len(outcome.cues) > _SHOWN else ""
        first = f"  ({outcome.findings[0].value})" if outcome.findings else ""
        count = str(len(outcome.findings)) if outcome.result == "failed" else ""
        click.echo(f"  {outcome.rule:19}{outcome.result:12}{count:>5}  {outcome.limit or outcome.about:34}"
                   + (f"cues {numbers}{more}{first}" if numbers else outcome.reason).rstrip())
    click.echo(f"  {report.pass_rate:.1%} of the cues pass" + ("" if report.passed else
               f"; {len(report.broken)} break a rule"))
