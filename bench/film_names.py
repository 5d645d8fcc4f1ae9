"""`python bench/film_names.py CASES.yml...`: title and year out of release names, as dated JSON.

CASES are guessit's own test lists, so guessit was made for them and its figure is an upper one; the names of Indian
films in tests/cases are ours, and neither parser knows them. Beside guessit
parse-torrent-title, with the best use we know of it (the file's name, else the folder's). It is no dependency of ours:
    python -m venv peer && peer/bin/pip install parse-torrent-title
    PYTHONPATH=$(echo peer/lib/python*/site-packages) python bench/film_names.py CASES.yml
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from cp_whisperx.film import naming

Guess = Callable[[str], tuple[str | None, int | None]]


def cases(path: Path) -> Iterator[tuple[str, str, int | None]]:
    """Name, title and year, of those that have a title; several names may share what follows the last of them."""
    node = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
    loader = yaml.SafeLoader("")
    names: list[str] = []
    for key, value in node.value:
        names += [key.value]
        if isinstance(value, yaml.ScalarNode):
            continue
        wanted = loader.construct_object(value, deep=True)
        shared, names = names, []
        if isinstance(wanted, dict) and "title" in wanted:
            for name in shared:
                # `+` and `-` mark names of which some properties are, or are not, to be found.
                if name[:1] not in "+-":
                    yield name, str(wanted["title"]), wanted.get("year")


def ours(name: str) -> tuple[str | None, int | None]:
    named = naming.guess(Path(name))
    return named.title, named.year


def peer(name: str) -> tuple[str | None, int | None]:
    import PTN  # type: ignore[import-not-found]

    path = PurePosixPath(name)
    stem = path.stem if re.fullmatch(r"\.[A-Za-z][A-Za-z0-9]{1,4}", path.suffix) else path.name
    found = [PTN.parse(part) for part in (stem, path.parent.name) if part]
    best = next((one for one in found if one.get("title") and one.get("year")), found[0])
    return best.get("title"), best.get("year")


PARSERS: tuple[tuple[str, Guess, str, tuple[str, ...]], ...] = (
    ("guessit", ours, "guessit", ("guessit", "rebulk", "babelfish", "python-dateutil", "tzdata")),
    ("parse-torrent-title", peer, "PTN", ("parse-torrent-title",)))
"""Name, use, module, and the packages that it brings."""


def own_cases() -> list[tuple[str, str, int | None]]:
    path = Path(__file__).parent.parent / "tests" / "cases" / "film_names.yaml"
    return [(case["name"], case["title"], case.get("year")) for case in yaml.safe_load(path.read_text("utf-8"))]


def plain(title: str | None) -> str:
    return re.sub(r"[\W_]+", " ", (title or "").casefold()).strip()


def rate(guess: Guess, wanted: list[tuple[str, str, int | None]]) -> dict[str, Any]:
    began = time.perf_counter()
    found = [(plain(title), year) for title, year in (guess(name) for name, _, _ in wanted)]
    seconds = time.perf_counter() - began
    titles = [one[0] == plain(title) for one, (_, title, _) in zip(found, wanted, strict=True)]
    years = [one[1] == year for one, (_, _, year) in zip(found, wanted, strict=True)]
    return {"title": round(sum(titles) / len(wanted), 4), "year": round(sum(years) / len(wanted), 4),
            "both": round(sum(map(min, titles, years)) / len(wanted), 4),
            "ms_each": round(seconds / len(wanted) * 1e3, 1),
            "missed": [f"{name} -> {one}" for one, (name, _, _), title, year in
                       zip(found, wanted, titles, years, strict=True) if not (title and year)][:20]}


def load_s(module: str) -> float:
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    return round(min(float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                                          check=True).stdout) for _ in range(3)), 3)


def installed_mb(*names: str) -> float:
    files = (Path(str(file.locate())) for name in names for file in importlib.metadata.files(name) or ()
             if file.suffix != ".pyc")
    return round(sum(file.stat().st_size for file in files if file.is_file()) / 1e6, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "",
                                     epilog="example: python bench/film_names.py guessit_movies.yml")
    parser.add_argument("cases", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    asked = parser.parse_args()
    sets = {"guessit's own": [case for path in asked.cases for case in cases(path)], "Indian films": own_cases()}
    rows = []
    for parser, guess, module, packages in PARSERS:
        try:
            costs = {"version": importlib.metadata.version(packages[0]), "load_s": load_s(module),
                     "installed_mb": installed_mb(*packages)}
        except ImportError:
            print(f"{parser} is not installed: left out", file=sys.stderr)
            continue
        for which, wanted in sets.items():
            row = {"parser": parser, "names": which, "count": len(wanted)} | rate(guess, wanted) | costs
            # Names of others stay with them: counted here, written nowhere.
            rows.append({key: value for key, value in row.items() if key != "missed" or which == "Indian films"})
            print(f"{parser:20} {which:14} {len(wanted):4} names  title {row['title']:.1%}  year {row['year']:.1%}  "
                  f"both {row['both']:.1%}  {row['ms_each']} ms each, loads in {row['load_s']} s, "
                  f"{row['installed_mb']} MB")
    result = {"what": "title and year out of release names", "date": datetime.date.today().isoformat(),
              "machine": platform.machine(), "python": platform.python_version(),
              "note": "guessit was made for its own list, the peer was not; neither knows the Indian films",
              "rows": rows}
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / f"film-names-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
