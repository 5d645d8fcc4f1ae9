"""`python bench/tmdb_offline.py`: how long the stage tmdb takes without a key, a server or an answer, as dated JSON.

Each is a process as a runner starts it, from its start to its end; the median of five. Everything is on the loopback.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

from cp_whisperx import pipeline, settings
from cp_whisperx.artifacts import Film
from cp_whisperx.job import Job

_TIMES = 5
_NFO = "<movie><title>Aag</title><uniqueid type='tmdb'>7</uniqueid></movie>"
_LOCK = Path(__file__).parent.parent / "requirements" / "web.txt"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/tmdb_offline.py")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    out: Path = parser.parse_args().out
    with tempfile.TemporaryDirectory() as work, socket.socket() as deaf:
        # A full queue: the system answers no further connection, as a network that drops everything.
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(deaf.getsockname())
        deaf_url = f"http://127.0.0.1:{deaf.getsockname()[1]}/3"
        rows = [row("nothing but Python", [], Path(work), None),
                row("no key", [], Path(work), "http://127.0.0.1:1/3"),
                row("a key, no server", ["TMDB_TOKEN=not-a-real-token"], Path(work), "http://127.0.0.1:1/3"),
                row("a key, a network that says nothing", ["TMDB_TOKEN=not-a-real-token"], Path(work), deaf_url)]
        for one in waiting:
            one.close()
    result = {"what": "seconds of the stage tmdb without an answer, whole process", "date":
              datetime.date.today().isoformat(), "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
              "load": round(os.getloadavg()[0], 1), "python": platform.python_version(), "rows": rows,
              "web_layer_mb": layer_mb()}
    print(f"layer web: {result['web_layer_mb']} MB; load of the machine {result['load']}")
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"tmdb-offline-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)


def row(what: str, variables: list[str], work: Path, base_url: str | None) -> dict[str, object]:
    walls, users, lacked = [], [], ""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TMDB_")}
    environment |= dict(variable.split("=") for variable in variables) | {"XDG_CACHE_HOME": str(work / "cache")}
    for number in range(_TIMES):
        command, job = [sys.executable, "-c", "pass"], None
        if base_url:
            job = make(work / re.sub(r"\W", "-", f"{what}-{number}"), base_url)
            command = [sys.executable, "-m", "cp_whisperx.stages", "tmdb", str(job.folder), "--quiet"]
        before, began = os.times(), time.monotonic()
        subprocess.run(command, check=True, env=environment, capture_output=True)
        walls.append(time.monotonic() - began)
        users.append(os.times().children_user - before.children_user)
        if job:
            lacked = Film.read(job.stage_folder("tmdb")).lacked[0]
    found = {"what": what, "wall_s": round(statistics.median(walls), 2), "least_s": round(min(walls), 2),
             "user_s": round(statistics.median(users), 2), "lacked": lacked}
    print(found)
    return found


def make(folder: Path, base_url: str) -> Job:
    folder.mkdir()
    film = folder / "Aag.wav"
    with wave.open(str(film), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    film.with_suffix(".nfo").write_text(_NFO)
    return pipeline.prepare(film, settings.load({"jobs": folder / "out", "stages.tmdb.base_url": base_url},
                                                environment={}))


def layer_mb() -> float:
    """As installed, without compiled caches, on this platform."""
    size = 0
    for name in re.findall(r"^([a-z0-9-]+)==", _LOCK.read_text(), re.MULTILINE):
        try:
            files = importlib.metadata.files(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        places = (Path(str(file.locate())) for file in files if file.suffix != ".pyc")
        size += sum(place.stat().st_size for place in places if place.is_file())
    return round(size / 1e6, 2)


if __name__ == "__main__":
    main()
