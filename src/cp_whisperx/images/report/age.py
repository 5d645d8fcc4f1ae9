"""Are the figures older than what they depend on? Days between a result and the last change of its sources."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cp_whisperx.errors import ConfigError
from cp_whisperx.images import clones
from cp_whisperx.images.report.measured import Results
from cp_whisperx.images.report.status import again
from cp_whisperx.images.report.table import Table


@dataclass(frozen=True, slots=True)
class Stale:
    """A result that is `days` older than the last change of its sources."""

    result: str
    days: int
    command: str

    def __str__(self) -> str:
        return f"{self.result} is {self.days} days older than what it measures: {self.command}"


def stale(clone: Path, table: Table, results: Results) -> tuple[Stale, ...]:
    """Results that are older than the table allows.

    Raises ConfigError where the history is not there to ask: outside of git, and in a shallow clone.
    """
    if clones.git(clone, "rev-parse", "--is-shallow-repository") != "false":
        raise ConfigError(f"the history of {clone} is not there, so the age of figures is not known",
                          hint="in a shallow clone: git fetch --unshallow")
    found = []
    for name, bench in table.benches.items():
        changed = clones.git(clone, "log", "-1", "--format=%cs", "--", *bench.sources)
        for stem in bench.results or (name,):
            newest = results.newest(stem)
            if newest and changed:
                days = (date.fromisoformat(changed) - date.fromisoformat(newest.date)).days
                if days > table.stale_after_days:
                    found.append(Stale(f"{stem}-{newest.date}.json", days, again(name, bench)))
    return tuple(found)
