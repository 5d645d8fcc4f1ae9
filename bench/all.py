"""`python bench/all.py`: runs every bench of bench/report.toml in order, then writes the status report anew.

  python bench/all.py --list                     what there is, what it needs, and about how long it takes
  python bench/all.py images prove               these alone
  python bench/all.py --without docker,peers     all that needs neither
MEDIA in a command is the folder of the shared test media: --media, else $CP_WHISPERX_MEDIA, else ../shared/media. Other
words in capitals are yours to give: such a bench is told and left out. One that fails does not stop the others.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

from cp_whisperx.images import results
from cp_whisperx.images.build import revision
from cp_whisperx.images.report import table

_CLONE = Path(__file__).parent.parent


def main() -> int:
    benches = table.read(_CLONE).benches
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", nargs="*", help="names, as --list shows them [all]")
    parser.add_argument("--only", default="", help="the same, with commas between them")
    parser.add_argument("--without", default="", help="not to be had: docker,models,media,network,peers,root")
    parser.add_argument("--list", action="store_true", help="show what would run, and run nothing")
    parser.add_argument("--media", type=Path, default=Path(os.environ.get("CP_WHISPERX_MEDIA", "../shared/media")))
    asked = parser.parse_args()
    wanted = {*asked.bench, *filter(None, asked.only.split(","))}
    if unknown := wanted - set(benches):
        parser.error(f"there is no bench {min(unknown)}; there are: {', '.join(benches)}")
    lacking = set(asked.without.split(","))
    chosen = {name: one for name, one in benches.items()
              if (not wanted or name in wanted) and not lacking & set(one.needs)}
    if asked.list:
        for name, one in chosen.items():
            print(f"{name:22} {one.minutes:3} min  {', '.join(one.needs) or '-':24} {one.command}")
        print(f"{sum(one.minutes for one in chosen.values())} minutes in all, about")
        return 0
    failed = [name for number, (name, one) in enumerate(chosen.items(), 1)
              if not _run(f"[{number}/{len(chosen)}] {name}", name, one, asked.media)]
    subprocess.run([sys.executable, "-m", "cp_whisperx", "images", "report"], cwd=_CLONE, check=True)
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _run(title: str, name: str, bench: table.Bench, media: Path) -> bool:
    command = bench.command.replace("MEDIA", shlex.quote(str(media.absolute())))
    if given := re.search(r"\b[A-Z]{4,}\b", bench.command.replace("MEDIA", "")):
        print(f"{title}: left out, since {given[0]} is yours to give: {bench.command}", flush=True)
        return False
    print(f"{title}, about {bench.minutes} min: {command}", flush=True)
    words = shlex.split(command)
    words = [sys.executable, *words[1:]] if words[0] == "python" else [sys.executable, "-m", "cp_whisperx", *words[1:]]
    begun = time.time()
    # The scenes are in the clone, not in the package.
    done = subprocess.run(words, cwd=_CLONE, check=False, env=os.environ | {"PYTHONPATH": str(_CLONE)})
    if done.returncode == 0:
        _stamp(bench.results or (name,), begun)
    print(f"{title}: {'done' if done.returncode == 0 else f'FAILED with {done.returncode}'} after "
          f"{time.time() - begun:.0f} s", flush=True)
    return done.returncode == 0


def _stamp(stems: tuple[str, ...], since: float) -> None:
    """Says in what was just written for which commit it stands, where the bench itself does not."""
    for path in (path for stem in stems for path in (_CLONE / results.FOLDER).glob(f"{stem}-????-??-??.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        if path.stat().st_mtime >= since and "commit" not in found:
            found["commit"] = revision(_CLONE)
            path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
