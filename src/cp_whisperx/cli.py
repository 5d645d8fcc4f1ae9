"""The command: parse, call, print. Results go to stdout, everything else to stderr."""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from cp_whisperx import __version__, pipeline, preflight, settings, stages
from cp_whisperx import log as logs
from cp_whisperx.errors import INTERRUPTED, ConfigError, CpWhisperxError, StageFailed, no_space
from cp_whisperx.job import Job
from cp_whisperx.models.catalog import catalog
from cp_whisperx.models.catalog import find as find_model
from cp_whisperx.models.sources import SOURCES, FolderSource, Source
from cp_whisperx.models.store import ModelStore
from cp_whisperx.progress import clock_text
from cp_whisperx.runners.local import LocalRunner
from cp_whisperx.timeline import Span

_FILM_FLAGS: tuple[tuple[str, tuple[str, ...], dict[str, Any]], ...] = (
    ("--source", ("stages.asr.source", "stages.demux.language"), {
        "help": "Language spoken: hi, en… [voted over the film]"}),
    ("--task", ("stages.asr.task",), {
        "type": click.Choice(("transcribe", "translate")), "help": "Text as spoken, or into English [transcribe]"}),
    ("--model", ("stages.asr.model",), {"help": "Name in the catalogue, or a folder [base]"}),
    ("--track", ("stages.demux.track",), {"type": int, "help": "Index of the audio stream [by policy]"}),
    ("--format", ("stages.subtitle_gen.formats",), {"help": "srt,vtt [both]"}),
    ("--device", ("device",), {"type": click.Choice(("auto", "cpu", "cuda")), "help": "Where to compute [auto]"}),
    ("--out", ("jobs",), {"type": click.Path(path_type=Path), "help": "Folder for the jobs [out]"}),
)
"""Flags that stand for settings: name, the keys they set, how click shows them. One table for all commands."""


class _Clock(click.ParamType[float]):
    """Seconds, or H:MM:SS."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            parts = [float(part) for part in str(value).split(":")]
            if len(parts) > 3 or any(part < 0 for part in parts):
                raise ValueError
        except ValueError:
            self.fail(f"{value} is no time: give seconds or H:MM:SS", param, ctx)
        return sum(part * float(60**power) for power, part in enumerate(reversed(parts)))


def _film_flags(command: Callable[..., None]) -> Callable[..., None]:
    for name, _, attributes in reversed(_FILM_FLAGS):
        command = click.option(name, **attributes)(command)
    command = click.option("--start", type=_Clock(), help="Only from here on: seconds or H:MM:SS")(command)
    return click.option("--end", type=_Clock(), help="Only up to here: seconds or H:MM:SS")(command)


_config = click.option("--config", type=click.Path(path_type=Path), help="Settings file [./cp-whisperx.toml]")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_out = click.option("--out", type=click.Path(path_type=Path), help="Folder of the jobs [out]")


def _settings(config: Path | None, flags: dict[str, Any]) -> settings.Settings:
    values = {key: flags.get(name.removeprefix("--")) for name, keys, _ in _FILM_FLAGS for key in keys}
    return settings.load(values, file=config)


def _clip(start: float | None, end: float | None) -> Span | None:
    if start is None and end is None:
        return None
    span = Span(start or 0.0, 1e6 if end is None else end)
    if span.duration <= 0:
        raise ConfigError("--end is not behind --start", hint="give both as seconds or H:MM:SS")
    return span


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors on stderr.")
@click.option("--traceback", is_flag=True, help="Show where in the program an unforeseen error arose.")
def cli(quiet: bool, traceback: bool) -> None:
    """A film goes in; the film with subtitles comes out.

    \b
    Example:  cp-whisperx run Film.mkv
    """
    logs.configure(logging.WARNING if quiet else logging.INFO)


@cli.command()
@click.argument("films", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILM...")
@_film_flags
@_config
@_json
def run(films: Sequence[Path], start: float | None, end: float | None, config: Path | None, as_json: bool,
        **flags: Any) -> None:
    """Make subtitles for films, and the films with them. Goes on where an earlier run stopped.

    \b
    Examples:
      cp-whisperx run Film.mkv
      cp-whisperx run Film.mkv --source hi --task translate --model medium
      cp-whisperx run Film.mkv --start 10:00 --end 12:00      a quick try; the rest is left out
    With --json one object per film, a line each.
    """
    worst = 0
    for film in films:
        job: Job | None = None
        try:
            chosen = _settings(config, flags)
            job = pipeline.prepare(film, chosen, _clip(start, end))
            _run_job(job, chosen, as_json=as_json)
        except CpWhisperxError as error:
            worst = max(worst, error.exit_code)
            _tell(error, film if len(films) > 1 else None)
            if as_json:
                _print_json({"film": str(film), "job": job.id if job else None, "error": error.as_dict()})
    sys.exit(worst)


@cli.command()
@click.argument("film", type=click.Path(path_type=Path))
@_film_flags
@_config
@_json
def prepare(film: Path, start: float | None, end: float | None, config: Path | None, as_json: bool,
            **flags: Any) -> None:
    """Make a job and print its id; nothing is computed yet.

    \b
    Example:  cp-whisperx pipeline $(cp-whisperx prepare Film.mkv)
    """
    job = pipeline.prepare(film, _settings(config, flags), _clip(start, end))
    if as_json:
        _print_json({"job": job.id, "folder": str(job.folder)})
    else:
        click.echo(job.id)


@cli.command("pipeline")
@click.argument("job")
@_out
@_config
@_json
def pipeline_(job: str, out: Path | None, config: Path | None, as_json: bool) -> None:
    """Run or resume a job: by its id, or by its folder.

    \b
    Example:  cp-whisperx pipeline my-film-1a2b3c4d
    """
    chosen = settings.load({"jobs": out}, file=config)
    _run_job(pipeline.find_job(job, chosen.jobs), chosen, as_json=as_json)


@cli.command()
@click.argument("name")
@click.argument("job")
@_out
@_config
def stage(name: str, job: str, out: Path | None, config: Path | None) -> None:
    """Run one stage of a job.

    \b
    Example:  cp-whisperx stage subtitle-gen my-film-1a2b3c4d
    """
    chosen = settings.load({"jobs": out}, file=config)
    found = pipeline.find_job(job, chosen.jobs)
    store = ModelStore(chosen.model_store.root)
    pipeline.run(found, store, _runner(store), only=stages.find(name).name)
    click.echo(found.stage_folder(name))


@cli.command()
@click.argument("job", required=False)
@_out
@_config
@_json
def status(job: str | None, out: Path | None, config: Path | None, as_json: bool) -> None:
    """Show what is done, stale, failed or running: of one job, or of all.

    \b
    Example:  cp-whisperx status my-film-1a2b3c4d
    """
    chosen = settings.load({"jobs": out}, file=config)
    store = ModelStore(chosen.model_store.root)
    found = (pipeline.find_job(job, chosen.jobs),) if job else pipeline.jobs(chosen.jobs)
    if as_json:
        views = [{"job": one.id, "folder": str(one.folder), "film": one.request.film,
                  "stages": [vars_of(state) for state in pipeline.status(one, store)]} for one in found]
        _print_json(views[0] if job else views)
        return
    if not found:
        click.echo(f"no jobs in {chosen.jobs}; make one with: cp-whisperx run FILM")
    for one in found:
        click.echo(f"{one.id}  {one.request.film}")
        for state in pipeline.status(one, store):
            click.echo("  " + _status_line(state))


@cli.command("preflight")
@_out
@_config
@_json
def preflight_(out: Path | None, config: Path | None, as_json: bool) -> None:
    """Check this machine; ends with READY, or with what to do.

    \b
    Example:  cp-whisperx preflight
    """
    checks = list(preflight.checks(settings.load({"jobs": out}, file=config)))
    failed = [check for check in checks if check.level == "failed"]
    if as_json:
        _print_json({"ready": not failed, "checks": [vars_of(check) for check in checks]})
    else:
        for check in checks:
            click.echo(f"{check.level:8} {check.name:8} {check.saw}")
            if check.hint:
                click.echo(f"{'':18}{check.hint}")
        click.echo("READY" if not failed else "NOT READY: " + "; ".join(dict.fromkeys(c.hint for c in failed)))
    sys.exit(failed[0].exit_code if failed else 0)


@cli.command()
def config() -> None:
    """Print a settings file with every key, its meaning and its default.

    \b
    Example:  cp-whisperx config > cp-whisperx.toml
    """
    click.echo(settings.example(), nl=False)


@cli.group()
def models() -> None:
    """The models: list, pull, verify, path.

    \b
    Example:  cp-whisperx models pull base
    """


@models.command("list")
@_config
@_json
def models_list(config: Path | None, as_json: bool) -> None:
    """List the catalogue, and what of it is in the store."""
    store = ModelStore(settings.load(file=config).model_store.root)
    rows = [{"name": model.name, "kind": model.kind, "mb": round(model.size / 1e6), "licence": model.licence,
             "present": store.has(model.name), "about": model.about} for model in catalog().values()]
    if as_json:
        _print_json(rows)
        return
    for row in rows:
        here = "here" if row["present"] else "-"
        click.echo(f"{row['name']:15} {row['kind']:8} {row['mb']:5} MB  {here:5} {row['about']}")


@models.command("pull")
@click.argument("names", nargs=-1)
@click.option("--from", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="A folder that holds the files, tried first.")
@click.option("--dry-run", is_flag=True, help="Say what would be fetched, and from where.")
@_config
def models_pull(names: Sequence[str], folder: Path | None, dry_run: bool, config: Path | None) -> None:
    """Fetch models into the store; without a name, those that the settings use.

    \b
    Examples:
      cp-whisperx models pull
      cp-whisperx models pull large-v3-turbo
      cp-whisperx models pull base --from /media/usb/models
    """
    chosen = settings.load(file=config)
    store = ModelStore(chosen.model_store.root)
    sources: list[Source] = [FolderSource(folder)] if folder else []
    for name in chosen.model_store.sources:
        if name not in SOURCES:
            raise ConfigError(f"model_store.sources: there is no source {name}", hint="sources: " + ", ".join(SOURCES))
        sources.append(SOURCES[name]())
    for name in names or _models_in_use(chosen):
        click.echo(_pull_plan(name, store, sources) if dry_run else store.pull(name, sources))


@models.command("verify")
@click.argument("names", nargs=-1)
@_config
def models_verify(names: Sequence[str], config: Path | None) -> None:
    """Hash every file of the models in the store against the catalogue."""
    store = ModelStore(settings.load(file=config).model_store.root)
    problems = []
    for name in names or [name for name in catalog() if store.folder(catalog()[name]).exists()]:
        found = store.verify(name)
        click.echo(f"{name}: " + ("; ".join(found) if found else "intact"))
        problems += found
    sys.exit(4 if problems else 0)


@models.command("path")
@click.argument("name")
@_config
def models_path(name: str, config: Path | None) -> None:
    """Print the folder of a model.

    \b
    Example:  ls $(cp-whisperx models path base)
    """
    click.echo(ModelStore(settings.load(file=config).model_store.root).path(name))


def _runner(store: ModelStore) -> LocalRunner:
    return LocalRunner(store.root, quiet=bool(click.get_current_context().find_root().params.get("quiet")))


def _pull_plan(name: str, store: ModelStore, sources: Sequence[Source]) -> str:
    if store.has(name):
        return f"{name}: in the store"
    model = find_model(name)
    offers = [source.describe(model) for source in sources if source.offers(model)]
    return f"{name}: {model.size / 1e6:.0f} MB from " + ", else from ".join(offers)


def _models_in_use(chosen: settings.Settings) -> list[str]:
    options = {one.name: one.options.model_validate(chosen.stage_options[one.name]) for one in stages.STAGES}
    return [name for one in stages.STAGES for name in one.models(options[one.name])]


def _run_job(job: Job, chosen: settings.Settings, *, as_json: bool) -> None:
    store = ModelStore(chosen.model_store.root)
    ran = pipeline.run(job, store, _runner(store))
    result = pipeline.result(job, ran)
    if as_json:
        _print_json({
            "job": job.id, "folder": str(job.folder), "subtitles": [str(path) for path in result.subtitles],
            "film": str(result.film) if result.film else None, "cues": result.cues, "language": result.language,
            "warnings": list(result.warnings), "stages": [vars_of(one) for one in result.stages]})
        return
    click.echo(f"{job.id}: {result.cues} cues in {result.language}, "
               + clock_text(sum(one.seconds or 0 for one in ran if one.status == "done")) + " of work")
    for path in result.subtitles:
        click.echo(f"  subtitles  {_shown(path)}")
    click.echo(f"  film       {_shown(result.film) if result.film else 'none: ' + result.note}")


def _status_line(state: pipeline.StageStatus) -> str:
    text = f"{state.name:14} {state.state:8}"
    if state.share is not None:
        text += f" {state.share:.0%}"
    if state.seconds is not None:
        text += f" {state.seconds:8.1f} s"
    if state.rtf is not None:
        text += f"  RTF {state.rtf:.3f}"
    return text + (f"  {state.error}" if state.error else "")


def vars_of(value: Any) -> dict[str, Any]:
    """The fields of a slotted dataclass, without those that say nothing."""
    fields = {name: getattr(value, name) for name in value.__dataclass_fields__}
    return {name: field for name, field in fields.items() if field not in ("", None)}


def _shown(path: Path) -> str:
    """Relative to where the person is, if it lies below."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def _tell(error: CpWhisperxError, film: Path | None = None) -> None:
    click.echo(f"error: {f'{film}: ' if film else ''}{error.message}", err=True)
    if error.hint:
        click.echo(f"  hint: {error.hint}", err=True)
    if error.log:
        click.echo(f"  log:  {error.log}", err=True)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """Entry point: errors become a sentence, a hint and their exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        cli(standalone_mode=False)
    except CpWhisperxError as error:
        _tell(error)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(ConfigError.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; run the same command again to go on", err=True)
        sys.exit(INTERRUPTED)
    except OSError as error:
        told = no_space(error, error.filename or "the disk")
        _tell(told or _unforeseen(error))
        sys.exit(told.exit_code if told else StageFailed.exit_code)
    except Exception as error:
        _tell(_unforeseen(error))
        sys.exit(StageFailed.exit_code)


def _unforeseen(error: Exception) -> CpWhisperxError:
    """For a fault of ours outside the stages; --traceback shows it where it arose."""
    if "--traceback" in sys.argv:
        raise error
    return StageFailed(f"an error that we did not foresee ({type(error).__name__}: {error})",
                       hint="run again with: cp-whisperx --traceback … and please report it")
