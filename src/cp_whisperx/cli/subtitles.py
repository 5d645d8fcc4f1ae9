"""The commands about subtitle files, ours or anybody's: check, fix, eval."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from cp_whisperx import publish, rttm
from cp_whisperx.cli.flags import json_flag
from cp_whisperx.cli.listening import speech_in
from cp_whisperx.cli.output import print_json, tell, understood
from cp_whisperx.errors import ConfigError
from cp_whisperx.media import shots
from cp_whisperx.media.probe import probe
from cp_whisperx.subtitles import profiles, reading
from cp_whisperx.subtitles.checking import NO_CUE, Outcome, Report
from cp_whisperx.subtitles.checking import check as checked
from cp_whisperx.subtitles.formats import ENCODINGS, FORMATS, NEWLINES, Newline, Sheet, by_suffix, encoded
from cp_whisperx.subtitles.language import UNKNOWN, guess
from cp_whisperx.subtitles.mending import Mended, mend
from cp_whisperx.timeline import Span

BROKEN = 1
"""Exit code of a check that was done and found broken rules: an answer, and no error of the tree."""
_SHOWN = 12
_CHANGES = {"cut": "cut", "joined": "joined", "retimed": "retimed", "broken anew": "lines broken anew",
            "reworded": "dashes, dots or song signs changed"}
"""What `fix` did, as it is told."""

profile_flag = click.option("--profile", metavar="NAME|FILE", help=f"{', '.join(profiles.names())}, or a TOML file of "
                            "your own [by language and script]")
film_flag = click.option("--film", type=click.Path(path_type=Path), help="The film: for its frame rate and cuts")
fps_flag = click.option("--fps", type=click.FloatRange(5, 240), help="Frames per second, where no film says it")
language_flag = click.option("--language", default="und", help="ISO 639-1, such as hi [by script and words]")


@dataclass(frozen=True)
class Picture:
    """What a film adds: `frame_rate` per second and `cuts` in film time, None where they are not known."""

    frame_rate: float | None = None
    cuts: tuple[float, ...] | None = None


def picture_of(film: Path | None, fps: float | None) -> Picture:
    """Raises MediaError if the film cannot be read; one without a moving picture has no cuts that could be known."""
    if film is None:
        return Picture(fps)
    moving = next((stream for stream in probe(film).streams if stream.is_picture), None)
    if moving is None:
        return Picture(fps)
    return Picture(fps or moving.frame_rate, shots.find(film, moving.index, threads=os.cpu_count() or 1).cuts)


def profile_for(found: reading.Found, wanted: str | None, language: str) -> profiles.Profile:
    if wanted is not None:
        return profiles.load(wanted)
    return profiles.named(profiles.default_name(language, " ".join(line for cue in found.cues for line in cue.lines)))


def language_of(found: reading.Found, asked: str) -> str:
    """The one asked for; else what the text looks like."""
    return asked if asked != UNKNOWN else guess(line for cue in found.cues for line in cue.lines)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@profile_flag
@film_flag
@click.option("--listen/--no-listen", default=True, help="Listen to --film too: is all text spoken, all speech shown? "
              "[yes]")
@click.option("--speech", type=click.Path(path_type=Path), help="RTTM of who speaks when, in the place of listening")
@language_flag
@fps_flag
@json_flag
def check(files: Sequence[Path], profile: str | None, film: Path | None, listen: bool, speech: Path | None,
          language: str, fps: float | None, as_json: bool) -> None:
    """Check subtitle files of any origin against the rules of a profile.

    \b
    Examples:
      cp-whisperx check Film.en.srt --profile netflix-en --film Film.mkv
      cp-whisperx check *.srt --profile bbc --json
      cp-whisperx check Film.en.srt --speech turns.rttm
    With --film, frames are the film's, cues are held against its cuts, and it is listened to.
    Ends with 0 if every rule that could be checked holds, with 1 if a cue breaks one, and with a higher code if a
    file cannot be read. With --json one object per file, a line each.
    """
    picture = picture_of(film, fps)
    heard: Sequence[Span] | None = rttm.read(speech) if speech else None
    if film and listen and heard is None:
        heard = speech_in(film, language)
    worst = 0
    for file in files:
        try:
            found = reading.read(file, picture.frame_rate)
            spoken = language_of(found, language)
            report = checked(found.cues, profile_for(found, profile, spoken),
                             frame_rate=picture.frame_rate or found.frame_rate, cuts=picture.cuts, speech=heard,
                             language=spoken, resolution_s=found.resolution_s)
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


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write; its suffix says the format.")
@click.option("--in-place", is_flag=True, help="Replace the file itself.")
@profile_flag
@film_flag
@language_flag
@fps_flag
@click.option("--encoding", type=click.Choice(ENCODINGS), default="utf-8", help="Of the file to write [utf-8]")
@click.option("--newline", type=click.Choice(tuple(NEWLINES)), default="lf", help="How its lines end [lf]")
@json_flag
def fix(file: Path, output: Path | None, in_place: bool, profile: str | None, film: Path | None, language: str,
        fps: float | None, encoding: str, newline: Newline, as_json: bool) -> None:
    """Retime and re-break a subtitle file by the rules of a profile; its text stays.

    \b
    Examples:
      cp-whisperx fix Film.srt -o Film.en.srt --profile netflix-en --film Film.mkv
      cp-whisperx fix Film.vtt --in-place --profile bbc
    Ends with 0 if the result keeps every rule that could be checked, with 1 if some cue leaves no room for it.
    """
    target = _target(file, output, in_place=in_place)
    form = FORMATS[by_suffix(target)]
    picture = picture_of(film, fps)
    found = reading.read(file, picture.frame_rate)
    rate = picture.frame_rate or found.frame_rate
    language = language_of(found, language)
    chosen = profile_for(found, profile, language)
    done = mend(found.cues, chosen, frame_rate=rate, cuts=picture.cuts, language=language,
                resolution_s=found.resolution_s)
    speakers = {speaker: speaker for cue in found.cues for speaker in cue.speakers}
    sheet = Sheet(done.cues, language, file.stem, rate, names=speakers)
    publish.publish_file(target, encoded(form.text(sheet), "utf-8" if form.utf8 else encoding, newline))
    if as_json:
        print_json({"file": str(file), "output": str(target), "format": form.suffix, "notes": list(found.notes),
                    "removed": list(done.removed), "before": done.before.as_dict(), "after": done.after.as_dict(),
                    "changes": [{"cue": change.cue, "of": list(change.of), "what": list(change.what)}
                                for change in done.changes if change.what]})
    else:
        _tell_changes(file, target, found, done)
    sys.exit(0 if done.after.passed else BROKEN)


def _target(file: Path, output: Path | None, *, in_place: bool) -> Path:
    """Where `fix` writes; the file that it reads only if that was asked for."""
    if in_place == (output is not None):
        raise ConfigError("give either -o OUT or --in-place", hint="`cp-whisperx fix --help` shows how")
    if output is None:
        return file
    if output.exists() and file.exists() and output.samefile(file):
        raise ConfigError(f"{output} is the file that is read", hint="choose another -o, or say --in-place")
    if output.is_dir():
        raise ConfigError(f"{output} is a folder", hint="name the file to write in it")
    if not output.parent.is_dir():
        raise ConfigError(f"there is no folder {output.parent}", hint="make it first, or choose another -o")
    return output


def _tell_changes(file: Path, target: Path, found: reading.Found, done: Mended) -> None:
    click.echo(f"{file}: {len(found.cues)} cues -> {target}: {len(done.cues)} cues, by {done.after.profile}")
    for note in found.notes:
        click.echo(f"  note: {note}")
    for what, told in _CHANGES.items():
        _tell_cues(told, [change.cue for change in done.changes if what in change.what])
    _tell_cues("left out, as they say nothing", list(done.removed))
    click.echo(f"  cues that pass: {done.before.pass_rate:.1%} before, {done.after.pass_rate:.1%} now")
    for outcome in done.after.outcomes:
        if outcome.result == "failed":
            _tell_cues(f"no room for {outcome.rule} {outcome.limit}", list(outcome.cues))
    for reason in dict.fromkeys(outcome.reason for outcome in done.after.not_checked):
        _tell_rules(f"not checked, {reason}", [one for one in done.after.not_checked if one.reason == reason])


def _tell_cues(what: str, cues: list[int]) -> None:
    if cues:
        more = f" and {len(cues) - _SHOWN} more" if len(cues) > _SHOWN else ""
        click.echo(f"  {what}: {len(cues)} ({' '.join(map(str, cues[:_SHOWN]))}{more})")


def _show(file: Path, found: reading.Found, report: Report) -> None:
    """What is broken comes first, with where; then what is kept, and what could not be checked."""
    rate = f"{report.frame_rate:g} frames a second" + ("" if report.frame_rate_known else ", assumed")
    click.echo(f"{file}: {report.cues} cues, {found.format} in {found.encoding}, against {report.profile} ({rate})")
    for note in found.notes:
        click.echo(f"  note: {note}")
    by_result: dict[str, list[Outcome]] = {}
    for outcome in report.outcomes:
        by_result.setdefault(outcome.result, []).append(outcome)
    for outcome in by_result.get("failed", ()):
        limit = f": {outcome.limit}" if outcome.limit else ""
        click.echo(f"  {outcome.rule:20}{len(outcome.findings):>4} x  {outcome.about}{limit}")
        click.echo(f"{'':28}{_where(outcome, found)}")
    _tell_rules("kept", by_result.get("passed", ()))
    for reason in dict.fromkeys(outcome.reason for outcome in report.not_checked):
        _tell_rules(f"not checked, {reason}", [one for one in report.not_checked if one.reason == reason])
    click.echo(f"  {report.pass_rate:.1%} of the cues pass" + ("" if report.passed else
               f"; {len(report.broken)} break a rule"))


def _where(outcome: Outcome, found: reading.Found) -> str:
    """The first place of a broken rule as a player shows it, and the numbers of the others."""
    first = outcome.findings[0]
    others = [number for number in outcome.cues if number != first.cue]
    more = f"; and {' '.join(map(str, others[:_SHOWN]))}" if others else ""
    more += f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    if first.cue == NO_CUE:
        return first.value + (f"; and {len(outcome.findings) - 1} more" if len(outcome.findings) > 1 else "")
    start = round(max(0.0, found.cues[first.cue - 1].start) * 1000)
    clock = f"{start // 3600000}:{start // 60000 % 60:02d}:{start // 1000 % 60:02d}.{start % 1000:03d}"
    return f"cue {first.cue} at {clock}: {first.value}{more}"


def _tell_rules(what: str, outcomes: Sequence[Outcome]) -> None:
    if outcomes:
        click.echo(textwrap.fill(f"{what}: {', '.join(outcome.rule for outcome in outcomes)}", 110,
                                 initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False))
