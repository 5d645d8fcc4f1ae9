"""The command: parse, call, print. Results go to stdout, everything else to stderr."""

from __future__ import annotations

import io
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from cp_whisperx import __version__, pipeline, preflight, settings, stages
from cp_whisperx import log as logs
from cp_whisperx.cli.evaluation import eval_
from cp_whisperx.cli.flags import clip, config_flag, film_flags, json_flag, out_flag, runner_flag, settings_of
from cp_whisperx.cli.images import images
from cp_whisperx.cli.models import models
from cp_whisperx.cli.names import names
from cp_whisperx.cli.output import fields_of, print_json, shown, tell, understood
from cp_whisperx.cli.subtitles import check, fix
from cp_whisperx.errors import INTERRUPTED, ConfigError
from cp_whisperx.images import engine
from cp_whisperx.job import Job
from cp_whisperx.models.store import ModelStore
from cp_whisperx.progress import clock_text
from cp_whisperx.runners import Runner
from cp_whisperx.runners.docker import DockerRunner
from cp_whisperx.runners.local import LocalRunner


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
@film_flags
@config_flag
@json_flag
def run(films: Sequence[Path], start: float | None, end: float | None, config: Path | None, as_json: bool,
        **flags: Any) -> None:
    """Make subtitles for films, and the films with them. Goes on where an earlier run stopped.

    \b
    Examples:
      cp-whisperx run Film.mkv
      cp-whisperx run Film.mkv --source hi --task translate --model medium
      cp-whisperx run Film.mkv --start 10:00 --end 12:00      a quick try; the rest is left out
    With --json one object per film, a line each: the result, or `input`, `job` and `error`.
    """
    if len(films) > 1 and flags.get("film_id"):
        raise ConfigError("--film-id is of one film, and there are several", hint="run each with its own")
    worst = 0
    for film in films:
        job: Job | None = None
        try:
            chosen = settings_of(config, flags)
            job = pipeline.prepare(film, chosen, clip(start, end))
            _run_job(job, chosen, as_json=as_json)
        except BrokenPipeError:
            raise
        except Exception as error:
            # Whatever became of one film, the next has its chance.
            told = understood(error)
            worst = max(worst, told.exit_code)
            tell(told, film if len(films) > 1 else None)
            if as_json:
                print_json({"input": str(film), "job": job.id if job else None, "error": told.as_dict()})
    sys.exit(worst)


@cli.command()
@click.argument("film", type=click.Path(path_type=Path))
@film_flags
@config_flag
@json_flag
def prepare(film: Path, start: float | None, end: float | None, config: Path | None, as_json: bool,
            **flags: Any) -> None:
    """Make a job and print its id; nothing is computed yet.

    \b
    Example:  cp-whisperx pipeline $(cp-whisperx prepare Film.mkv)
    """
    job = pipeline.prepare(film, settings_of(config, flags), clip(start, end))
    if as_json:
        print_json({"job": job.id, "folder": str(job.folder)})
    else:
        click.echo(job.id)


@cli.command("pipeline")
@click.argument("job")
@runner_flag
@out_flag
@config_flag
@json_flag
def pipeline_(job: str, runner: str | None, out: Path | None, config: Path | None, as_json: bool) -> None:
    """Run or resume a job: by its id, or by its folder.

    \b
    Example:  cp-whisperx pipeline my-film-1a2b3c4d
    """
    chosen = settings.load({"jobs": out, "runner": runner}, file=config)
    _run_job(pipeline.find_job(job, chosen.jobs), chosen, as_json=as_json)


@cli.command()
@click.argument("name")
@click.argument("job")
@runner_flag
@out_flag
@config_flag
def stage(name: str, job: str, runner: str | None, out: Path | None, config: Path | None) -> None:
    """Run one stage of a job.

    \b
    Example:  cp-whisperx stage subtitle-gen my-film-1a2b3c4d
    """
    wanted = stages.find(name)
    chosen = settings.load({"jobs": out, "runner": runner}, file=config)
    found = pipeline.find_job(job, chosen.jobs)
    store = ModelStore(chosen.model_store.root)
    pipeline.run(found, store, _runner(chosen, store), only=wanted.name)
    click.echo(found.stage_folder(wanted.name))


@cli.command()
@click.argument("job", required=False)
@out_flag
@config_flag
@json_flag
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
                  "stages": [fields_of(state) for state in pipeline.status(one, store)]} for one in found]
        print_json(views[0] if job else views)
        return
    if not found:
        click.echo(f"no jobs in {chosen.jobs}; make one with: cp-whisperx run FILM")
    for one in found:
        click.echo(f"{one.id}  {one.request.film}")
        for state in pipeline.status(one, store):
            click.echo("  " + _status_line(state))


@cli.command("preflight")
@out_flag
@config_flag
@json_flag
def preflight_(out: Path | None, config: Path | None, as_json: bool) -> None:
    """Check this machine; ends with READY, or with what to do.

    \b
    Example:  cp-whisperx preflight
    """
    checks = list(preflight.checks(settings.load({"jobs": out}, file=config)))
    failed = [check for check in checks if check.level == "failed"]
    if as_json:
        print_json({"ready": not failed, "checks": [fields_of(check) for check in checks]})
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


cli.add_command(models)
cli.add_command(names)
cli.add_command(images)
cli.add_command(check)
cli.add_command(fix)
cli.add_command(eval_)


def _runner(chosen: settings.Settings, store: ModelStore) -> Runner:
    quiet = bool(click.get_current_context().find_root().params.get("quiet"))
    if chosen.runner == "docker":
        return DockerRunner(engine.find(), store.root, registry=chosen.images.registry, quiet=quiet)
    return LocalRunner(store.root, quiet=quiet)


def _run_job(job: Job, chosen: settings.Settings, *, as_json: bool) -> None:
    store = ModelStore(chosen.model_store.root)
    ran = pipeline.run(job, store, _runner(chosen, store))
    result = pipeline.result(job, ran)
    if as_json:
        print_json({
            "input": job.request.film, "job": job.id, "folder": str(job.folder),
            "subtitles": [str(path) for path in result.subtitles],
            "film": str(result.film) if result.film else None, "cues": result.cues, "language": result.language,
            "warnings": list(result.warnings), "stages": [fields_of(one) for one in result.stages]})
        return
    click.echo(f"{job.id}: {result.cues} cues in {result.language}, "
               + clock_text(sum(one.seconds or 0 for one in ran if one.status == "done")) + " of work")
    for path in result.subtitles:
        click.echo(f"  subtitles  {shown(path)}")
    click.echo(f"  film       {shown(result.film) if result.film else 'none: ' + result.note}")


def _status_line(state: pipeline.StageStatus) -> str:
    text = f"{state.name:14} {state.state:8}"
    if state.share is not None:
        text += f" {state.share:.0%}"
    if state.seconds is not None:
        text += f" {state.seconds:8.1f} s"
    if state.rtf is not None:
        text += f"  RTF {state.rtf:.3f}"
    return text + (f"  {state.error}" if state.error else "")


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """Entry point: errors become a sentence, a hint and their exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    # A result that the terminal's encoding cannot write is written with escapes: no reason to fail.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        cli(prog_name="cp-whisperx", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(ConfigError.exit_code)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "cp-whisperx"
        tell(ConfigError(error.format_message().rstrip("."), hint=f"`{command} --help` shows how"))
        sys.exit(ConfigError.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; run the same command again to go on", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:
        told = understood(error)
        tell(told)
        sys.exit(told.exit_code)
