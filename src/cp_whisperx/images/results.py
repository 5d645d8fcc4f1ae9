"""Measurements as dated JSON in bench/results, each with the machine and the commit that it stands for."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cp_whisperx import publish
from cp_whisperx.images.build import revision

FOLDER = "bench/results"


def write(clone: Path, name: str, what: str, figures: Mapping[str, Any]) -> Path:
    """Writes <name>-<date>.json, in the place of an earlier one of that day; returns its path."""
    date = datetime.now(UTC).date().isoformat()
    found = {"what": what, "date": date, "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
             "commit": revision(clone), **figures}
    path = clone / FOLDER / f"{name}-{date}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    publish.publish_file(path, (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode())
    return path
