"""How long builds take, from nothing and after each kind of change, and what a change ships."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cp_whisperx.errors import RunnerError
from cp_whisperx.images import context, layout
from cp_whisperx.images.evidence import layer_names
from cp_whisperx.images.layout import Layout, StoredImage
from cp_whisperx.images.measure.session import Measurement, Session
from cp_whisperx.images.measure.sets import CODE, ImageSet, PlainSet, another_base, without_package
from cp_whisperx.images.recipe import Image
from cp_whisperx.images.results import OURS, WHISPERX, Figure

SHIPPED_LIMIT = 100_000
_SENT = re.compile(r"transferring context: ([\d.]+)(k|M|G)?B(?: ([\d.]+)s)? done")
_LARGEST = 10


def context_size(session: Session, row: Measurement) -> Iterator[Figure]:
    """Bytes of the files that an ignore file lets in, and the seconds in which BuildKit takes them all."""
    held = {one.name: context.held(one.clone) for one in session.of(row)}
    yield session.figure(row, {name: [sum(files.values())] for name, files in held.items()},
                         detail=[f"{name}: {size} bytes  {path}" for name, files in held.items()
                                 for path, size in Counter(files).most_common(_LARGEST)],
                         note=", ".join(f"{name} {len(files)} files" for name, files in held.items()))
    yield session.figure(row, session.in_turn(row, lambda one, run: sent(session, one)), part="transfer", unit="s",
                         what="the context is sent to BuildKit, which has none of it", target="")


def sent(session: Session, one: ImageSet) -> float:
    """Seconds in which the whole context reaches the builder."""
    # BuildKit keeps what a folder sent before, by its path: from a new one it takes everything.
    folder = session.work / f"context-{one.name}-{time.time_ns()}"
    shutil.copytree(one.clone, folder)
    (folder / "measured.Dockerfile").write_text("FROM scratch\nCOPY . /\n", encoding="utf-8")
    begun = time.monotonic()
    done = subprocess.run([session.engine.command, "buildx", "build", "--progress", "plain", "--output",
                           "type=cacheonly", "--file", "measured.Dockerfile", "."], cwd=folder, text=True,
                          capture_output=True, check=False, stdin=subprocess.DEVNULL)
    seconds = time.monotonic() - begun
    shutil.rmtree(folder)
    if done.returncode:
        raise RunnerError("the context could not be sent to the builder", log=done.stderr[-400:],
                          hint="`docker info` shows whether the engine is well")
    said = [float(time_s) for _, _, time_s in _SENT.findall(done.stderr) if time_s]
    return max(said, default=seconds)


def cold(session: Session, row: Measurement) -> Iterator[Figure]:
    def build(one: ImageSet, run: int) -> float:
        session.require_room(one)
        seconds = one.build(cold=True)
        session.note_built(one)
        return seconds

    each = session.in_turn(row, build)
    yield session.figure(row, each, note="nothing is taken from a cache, downloads included; the registries are those "
                                         "that this machine reaches")


def no_change(session: Session, row: Measurement) -> Iterator[Figure]:
    yield session.figure(row, session.in_turn(row, lambda one, run: one.build()))


def code_line(session: Session, row: Measurement) -> Iterator[Figure]:
    """One comment line at the end of a stage's file."""
    yield from _changed(session, row, lambda one: CODE, lambda text, run: f"{text}# measured {run} {time.time_ns()}\n",
                        SHIPPED_LIMIT, "afterwards the engine clears away what was replaced, for seconds: a build that "
                        "begins at once waits for it")


def dependency(session: Session, row: Measurement) -> Iterator[Figure]:
    """One package of one stage's lock is another: it is taken out, so that nothing has to be resolved."""
    yield from _changed(session, row, lambda one: one.requirements, without_package, None,
                        "a plain set runs the steps that it runs after a changed line: see code-line")


def _changed(session: Session, row: Measurement, place: Callable[[ImageSet], str], change: Callable[[str, int], str],
             limit: float | None, note: str = "") -> Iterator[Figure]:
    before = {one.name: _manifests(session, one) for one in session.of(row)}

    def build(one: ImageSet, run: int) -> float:
        with one.edited(place(one)) as path:
            path.write_text(change(path.read_text(encoding="utf-8"), run), encoding="utf-8")
            seconds = one.build()
        session.note_built(one)
        return seconds

    yield session.figure(row, session.in_turn(row, build), note=note)
    found = {one.name: shipped(one.images, before[one.name], _manifests(session, one)) for one in session.of(row)}
    for one in session.of(row):
        if isinstance(one, PlainSet) and one.name == WHISPERX:
            one.shrink()
        elif one.name == OURS:
            one.build()
    yield session.figure(row, {name: [one["new_bytes"]] for name, one in found.items()}, part="shipped", unit="bytes",
                         limit=limit, what="what has to be pulled after it, compressed",
                         detail=[f"{name}: {layer['bytes']} bytes  layer {layer['layer']}"
                                 for name, one in found.items() for layer in one["new_layers"]])
    yield session.figure(row, {name: [len(one["images_changed"])] for name, one in found.items()}, part="images",
                         unit="count", what="images that are others after it",
                         detail=[f"{name}: {', '.join(one['images_changed']) or 'none'}"
                                 for name, one in found.items()])


def base_changed(session: Session, row: Measurement) -> Iterator[Figure]:
    """The base has one more file: whatever was made on it is made anew; downloads may come from a cache."""
    def build(one: ImageSet, run: int) -> float:
        with one.edited(one.dockerfile) as path:
            path.write_text(another_base(path.read_text(encoding="utf-8"), run), encoding="utf-8")
            seconds = one.build()
        session.note_built(one)
        return seconds

    yield session.figure(row, session.in_turn(row, build))


def shipped(images: tuple[Image, ...], before: Layout, after: Layout) -> dict[str, Any]:
    """What has to be pulled after a change by who has all that was there before.

    Layers by name, or by number from the bottom in a set without a plan of layers; bytes as they are stored,
    compressed. The config and the manifest of a changed image are a few kB each and not counted.
    """
    old = {layer.digest for stored in before.images for layer in stored.layers}
    known = {_target(one): one.manifest for one in before.images}
    changed: list[str] = []
    layers: dict[str, dict[str, Any]] = {}
    for image in images:
        stored = next(one for one in after.images if _target(one) == image.reference())
        if known.get(image.reference()) != stored.manifest:
            changed.append(image.stage)
        names = layer_names(image)
        if len(names) != len(stored.layers):
            names = tuple(map(str, range(len(stored.layers))))
        layers |= {layer.digest: {"layer": name, "bytes": layer.compressed}
                   for name, layer in zip(names, stored.layers, strict=True) if layer.digest not in old}
    return {"images_changed": changed, "new_layers": list(layers.values()),
            "new_bytes": sum(one["bytes"] for one in layers.values())}


def _manifests(session: Session, one: ImageSet) -> Layout:
    """The images as they are now, without their files."""
    path: Path = session.work / f"{one.name}-manifests.tar"
    found = layout.save(session.engine, one.references(), path, walk=False)
    assert found.images
    path.unlink(missing_ok=True)
    return found


def _target(stored: StoredImage) -> str:
    return stored.name.rsplit("/", 1)[-1]
