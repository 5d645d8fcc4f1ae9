"""The command that writes the status report."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from cp_whisperx import log as logs
from cp_whisperx.cli.flags import json_flag
from cp_whisperx.cli.output import print_json
from cp_whisperx.errors import ConfigError, RunnerError
from cp_whisperx.images import recipe
from cp_whisperx.images.report import age
from cp_whisperx.images.report.status import Status, share
from cp_whisperx.images.report.write import Report, report, write

_log = logs.get("report")


@click.command("report")
@click.option("--check", "only_check", is_flag=True, help="Change nothing; fail if files are stale or figures too old.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.option("--rerun", is_flag=True, help="Measure everything again first: bench/all.py, some hours.")
@json_flag
def images_report(only_check: bool, dry_run: bool, rerun: bool, as_json: bool) -> None:
    """Write docs/status.md and docs/status.html from bench/results, and the figures in README and docs.

    \b
    Examples:
      cp-whisperx images report
      cp-whisperx images report --check
    Which figures, targets and items there are is in bench/report.toml.
    """
    clone = recipe.root()
    if rerun and not (only_check or dry_run):
        subprocess.run([sys.executable, str(clone / "bench" / "all.py")], cwd=clone, check=False)
    made = report(clone)
    changed = made.changed(clone) if only_check or dry_run else write(made, clone)
    old = _too_old(clone, made) if only_check else ()
    if as_json:
        print_json({"complete": share(sum(one.complete for one in made.status.items), len(made.status.items)),
                    "targets": made.status.verdicts, "files": list(changed), "too_old": [str(one) for one in old],
                    "rows": [_fields(made.status, number) for number in range(len(made.status.rows))]})
    else:
        word = "stale" if only_check else "would write" if dry_run else "wrote"
        click.echo("\n".join([*(f"{word}  {name}" for name in changed), *map(str, old), _said(made.status)]))
    sys.exit(RunnerError.exit_code if only_check and (changed or old) else 0)


def _too_old(clone: Path, made: Report) -> tuple[age.Stale, ...]:
    try:
        return age.stale(clone, made.status.table, made.status.results)
    except ConfigError as error:
        _log.warning(f"{error.message}: {error.hint}")
        return ()


def _fields(status: Status, number: int) -> dict[str, object]:
    row = status.rows[number]
    return {"id": row.target.id, "what": row.target.what, "verdict": row.verdict,
            "ours": row.ours.value if row.ours else None, "unit": row.ours.unit if row.ours else None,
            "result": row.ours.file if row.ours else None, "command": row.command,
            "beside": {one.name: one.figure.value for one in row.beside if one.figure}}


def _said(status: Status) -> str:
    done = sum(one.complete for one in status.items)
    counts = ", ".join(f"{count} {name}" for name, count in status.verdicts.items())
    return f"{done} of {len(status.items)} items proven ({share(done, len(status.items))}); targets: {counts}"
