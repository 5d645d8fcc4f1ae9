"""What git knows of the clone, and copies of it: what is measured or mutated is never the clone itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cp_whisperx.errors import ConfigError

BUILT_FROM = ("docker", "requirements", "src", ".dockerignore")
"""All that a build reads."""


def copy(clone: Path, to: Path, places: tuple[str, ...] = BUILT_FROM) -> Path:
    """What git knows of in `places` and what it does not ignore yet: no build leftovers. Returns `to`.

    Raises ConfigError outside of git.
    """
    listed = subprocess.run(["git", "-C", str(clone), "ls-files", "-z", "--cached", "--others", "--exclude-standard",
                             "--", *places], capture_output=True, check=False)
    if listed.returncode:
        raise ConfigError(f"{clone} is no git clone, so what belongs to it is not known", hint="do this in a clone")
    for name in filter(None, listed.stdout.decode().split("\0")):
        source = clone / name
        if source.is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            (to / name).write_bytes(source.read_bytes())
            (to / name).chmod(source.stat().st_mode)
    return to


def git(clone: Path, *arguments: str) -> str:
    """What git says of a clone; "" where there is no git, or it has nothing to say."""
    try:
        done = subprocess.run(["git", "-C", str(clone), *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
