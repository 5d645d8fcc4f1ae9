"""The command about names: what was changed in a film's text, and what a person says of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from cp_whisperx import pipeline, settings
from cp_whisperx.artifacts import Glossary, NameChange, NamedTranscript
from cp_whisperx.cli.flags import config_flag, json_flag, out_flag
from cp_whisperx.cli.output import print_json
from cp_whisperx.errors import ConfigError
from cp_whisperx.job import Job
from cp_whisperx.names import corrections
from cp_whisperx.names.corrections import Corrections, Veto
from cp_whisperx.progress import clock_text


@click.command()
@click.argument("job")
@click.option("--veto", type=click.IntRange(min=1), multiple=True, metavar="N",
              help="Forbid change number N, and all like it in this film; may be given again.")
@click.option("--here", is_flag=True, help="With --veto: in that one place alone.")
@click.option("--add", multiple=True, metavar="NAME", help="A name that this film's people speak of.")
@click.option("--expected", is_flag=True, help="Show the names that are expected, not the changes.")
@out_flag
@config_flag
@json_flag
def names(job: str, veto: Sequence[int], here: bool, add: Sequence[str], expected: bool, out: Path | None,
          config: Path | None, as_json: bool) -> None:
    """Show which names were changed in a film's text and why; forbid a change, or add a name.

    What you say is kept in names.toml in the job's folder, which you may edit; it outlives every rerun.

    \b
    Examples:
      cp-whisperx names my-film-1a2b3c4d
      cp-whisperx names my-film-1a2b3c4d --veto 3 --add Dahisar
      cp-whisperx pipeline my-film-1a2b3c4d                     makes the subtitles anew with that
    """
    chosen = settings.load({"jobs": out}, file=config)
    found = pipeline.find_job(job, chosen.jobs)
    said = corrections.read(found.folder)
    if veto or add:
        changes = _changes(found) if veto else ()
        said = _more(said, changes, veto, add, here=here)
        path = corrections.write(found.folder, said)
        click.echo(f"written to {path}; now run: cp-whisperx pipeline {job}", err=True)
    elif here:
        raise ConfigError("--here belongs to --veto", hint="cp-whisperx names JOB --veto 3 --here")
    if expected:
        _show_expected(found, as_json=as_json)
    elif not add or veto or as_json:
        _show(found, said, as_json=as_json)


def _more(said: Corrections, changes: Sequence[NameChange], veto: Sequence[int], add: Sequence[str], *,
          here: bool) -> Corrections:
    for number in veto:
        if number > len(changes):
            raise ConfigError(f"there is no change number {number}, only {len(changes)}",
                              hint="`cp-whisperx names JOB` shows them with their numbers")
        change = changes[number - 1]
        said = said.with_vetoes(Veto(change.before, change.after, change.start if here else None))
    for name in add:
        if not any(character.isalpha() for character in name):
            raise ConfigError(f"{name!r} is no name", hint="cp-whisperx names JOB --add Kuljeet")
        said = said.with_added(" ".join(name.split()))
    return said


def _changes(job: Job) -> tuple[NameChange, ...]:
    return NamedTranscript.read(job.stage_folder(NamedTranscript.stage)).changes


def _show(job: Job, said: Corrections, *, as_json: bool) -> None:
    changes = _changes(job)
    if as_json:
        print_json({"job": job.id, "changes": [
            {"number": number, **change.model_dump(mode="json")} for number, change in enumerate(changes, 1)],
            "add": list(said.add), "veto": [str(veto) for veto in said.veto]})
        return
    if not changes:
        click.echo("no names were changed")
    before, after = (max((len(getattr(change, side)) for change in changes), default=0) for side in ("before", "after"))
    for number, change in enumerate(changes, 1):
        forbidden = change.vetoed or any(veto.forbids(change.before, change.after, change.start) for veto in said.veto)
        click.echo(f"{number:4} {clock_text(change.start):>8}  {change.before:{before}} -> {change.after:{after}}  "
                   f"{change.score:.2f}  {'vetoed' if forbidden else change.reason}")


def _show_expected(job: Job, *, as_json: bool) -> None:
    expected = Glossary.read(job.stage_folder(Glossary.stage)).names
    if as_json:
        print_json([name.model_dump(mode="json") for name in expected])
        return
    for name in expected:
        also = f" ({', '.join(name.variants)})" if name.variants else ""
        click.echo(f"{name.weight:.2f}  {name.kind:12}  {name.canonical}{also}  {name.source}")
