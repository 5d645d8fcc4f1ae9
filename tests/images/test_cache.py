"""What one builder leaves in a registry serves the next: an empty builder runs no step that has been run.

The empty builder is a second engine in namespaces of its own: it shares no network, no mounts and no processes with
the engine of this machine, and reaches nothing but a copy of the registry. So it could not install anything.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from cp_whisperx.images.build import BuildPlan, build, own_certificates
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.recipe import select
from tests.images.containers import copy_of_the_clone, forget, require_base
from tests.images.servers import empty_builder

pytestmark = pytest.mark.docker

ROOM_MB = 4000
"""In memory: what is written there is of no use after the test, and is gone at once."""


def steps(log: str) -> tuple[set[str], set[str]]:
    """Steps with a command, such as `root 1`: those that were run, and those found in a cache."""
    titles = dict(re.findall(r"(?m)^#(\d+) (\[\S+ \d+/\d+\] RUN .*)$", log))
    # What was found in the registry is fetched when a later step needs it, and may be told of in that way alone.
    cached = set(re.findall(r"(?m)^#(\d+) (?:CACHED$|extracting sha256:)", log))
    named = {number: re.findall(r"\[(\S+) (\d+)/", title)[0] for number, title in titles.items()}
    return ({f"{stage} {step}" for number, (stage, step) in named.items() if number not in cached},
            {f"{stage} {step}" for number, (stage, step) in named.items() if number in cached})


def test_an_empty_builder_runs_nothing_that_the_cache_has(
        engine: Engine, work: Path, registry: str, monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str]) -> None:
    base = require_base()
    here = f"{registry}/base:bookworm"
    engine.ask("buildx", "imagetools", "create", "--tag", here, base)
    clone = copy_of_the_clone(work / "clone")
    first = BuildPlan(clone, select(("subtitle-gen",), "cpu"), registry=f"{registry}/app", base=here, push=True,
                      cache=f"{registry}/cache", cache_to=True, ca=own_certificates())
    monkeypatch.setenv("BUILDKIT_PROGRESS", "plain")
    references = build(first, engine)
    made = engine.resolve(references[0])
    forget(engine, first)
    capfd.readouterr()
    with empty_builder(work, monkeypatch, disk_mb=ROOM_MB) as empty:
        again = replace(first, push=False, cache_to=False)
        build(again, empty)
        ran, cached = steps(capfd.readouterr().err)
        assert ran == set()
        assert {"builder 1", "builder 2", "code 1", "root 1", "layer-base 1"} <= cached
        answer = empty.ask("image", "inspect", "--format", "{{.Id}}", references[0])
        assert answer == made, "it is the image that was pushed"
        # The other half of the proof: what changed is run, and nothing else is.
        source = clone / "src" / "cp_whisperx" / "timeline.py"
        source.write_text(source.read_text() + "\n# one line more\n")
        build(again, empty)
        ran, cached = steps(capfd.readouterr().err)
        assert ran == {"code 1"}
        assert "layer-base 1" in cached
