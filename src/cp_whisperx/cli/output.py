"""How results and errors are printed: results alone on stdout, a sentence, a hint and a path on stderr."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from cp_whisperx.errors import CpWhisperxError, StageFailed, no_space


def fields_of(value: Any) -> dict[str, Any]:
    """The fields of a slotted dataclass, without those that say nothing."""
    fields = {name: getattr(value, name) for name in value.__dataclass_fields__}
    return {name: field for name, field in fields.items() if field not in ("", None)}


def print_json(value: Any) -> None:
    """One object on one line."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def shown(path: Path) -> str:
    """Relative to where the person is, if it lies below."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def tell(error: CpWhisperxError, film: Path | None = None) -> None:
    click.echo(f"error: {f'{film}: ' if film else ''}{error.message}", err=True)
    if error.hint:
        click.echo(f"  hint: {error.hint}", err=True)
    if error.log:
        click.echo(f"  log:  {error.log}", err=True)


def understood(error: Exception) -> CpWhisperxError:
    """What to tell a person of any error. A fault of ours is raised again under --traceback."""
    if isinstance(error, CpWhisperxError):
        return error
    if isinstance(error, OSError) and (told := no_space(error, error.filename or "what was to be written")):
        return told
    if "--traceback" in sys.argv:
        raise error
    return StageFailed(f"an error that we did not foresee ({type(error).__name__}: {error})",
                       hint="run again with: cp-whisperx --traceback … and please report it")
