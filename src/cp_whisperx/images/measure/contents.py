"""What the sets are made of: bytes once and as an engine unpacks them, by package, and layers in their order."""

from __future__ import annotations

from collections.abc import Iterator

from cp_whisperx.images import layout, ownership, sizes
from cp_whisperx.images.check_content import order
from cp_whisperx.images.evidence import Evidence, megabytes
from cp_whisperx.images.layout import Layer, StoredImage
from cp_whisperx.images.measure.session import Measurement, Session
from cp_whisperx.images.recipe import Image
from cp_whisperx.images.results import OURS, Figure

_LARGEST_FILES = 15


def set_size(session: Session, row: Measurement) -> Iterator[Figure]:
    """Each distinct layer once: unpacked, as stored, and as engines unpack them."""
    unique = {one.name: layout.unique(session.layout(one).images) for one in session.of(row)}
    yield session.figure(row, {name: [sum(layer.unpacked for layer in layers)] for name, layers in unique.items()},
                         detail=[f"{name}: {line}" for name, layers in unique.items()
                                 for line in sizes.explained(layers)])
    yield session.figure(row, {name: [sum(layer.compressed for layer in layers)] for name, layers in unique.items()},
                         part="compressed", limit=125e6, what="the set, each layer once, compressed as it is stored",
                         detail=[f"{name}: {layer.compressed} bytes  {_what(layer)}"
                                 for name, layers in unique.items()
                                 for layer in sorted(layers, key=lambda one: -one.compressed)[:_LARGEST_FILES]])
    piles = {one.name: chains(session.layout(one).images) for one in session.of(row)}
    yield session.figure(row, {name: [sum(layer.unpacked for layer in found.values())]
                               for name, found in piles.items()}, part="on-disk", target="",
                         what="the set as an engine unpacks it: a layer once for each pile that it stands on",
                         detail=[f"{name}: {line}" for name, found in piles.items() for line in repeated(found)])


def light_stage(session: Session, row: Measurement) -> Iterator[Figure]:
    light = {one.name: min(session.layout(one).images, key=lambda stored: stored.unpacked).unpacked
             for one in session.of(row) if one.name != OURS}
    size, detail = sizes.light_stage(_evidence(session)) if OURS in session.sets else (0, ())
    ours = {OURS: [size]} if OURS in session.sets else {}
    yield session.figure(row, {**ours, **{name: [size] for name, size in light.items()}}, detail=detail,
                         note="of ours the largest light stage, of a plain set its smallest image")
    if not ours:
        return
    size, detail = sizes.own_layer(_evidence(session))
    yield session.figure(row, {OURS: [size]}, part="own-code", limit=1e6, what="our own code in a light stage",
                         detail=detail)


def attributed(session: Session, row: Measurement) -> Iterator[Figure]:
    """Bytes of the set that no line of a lock and no script of ours stands for; of all others, whose they are."""
    found = ownership.shares(_evidence(session), session.plan.debs)
    unknown = [share for share in found if not share.lock]
    yield session.figure(row, {OURS: [sum(share.size for share in unknown)]}, detail=list(map(str, found)),
                         note="" if session.plan.debs and session.plan.debs.is_dir()
                         else "Debian's packages are not kept here (images lock), so whose a library is was not known")


def layer_order(session: Session, row: Measurement) -> Iterator[Figure]:
    evidence = _evidence(session)
    _, others = order(evidence)
    found = tuple(dict.fromkeys((*misplaced(evidence), *others)))
    yield session.figure(row, {OURS: [len(found)]}, detail=found)


def misplaced(evidence: Evidence) -> tuple[str, ...]:
    """Layers that stand in one image where the plan of that image has another one."""
    found = []
    first: dict[str, tuple[str, Image]] = {}
    for image in evidence.images:
        for name, layer in evidence.layers(image):
            other, where = first.setdefault(layer.diff_id, (name, image))
            if other != name:
                found.append(f"{image.target}: the layer {other} of {where.target} stands in the place of {name}")
    return tuple(found)


def chains(images: tuple[StoredImage, ...]) -> dict[tuple[str, ...], Layer]:
    """Each layer by all that is below it: an engine shares what it has unpacked by that chain alone."""
    found: dict[tuple[str, ...], Layer] = {}
    for stored in images:
        chain: tuple[str, ...] = ()
        for layer in stored.layers:
            chain = (*chain, layer.diff_id)
            found.setdefault(chain, layer)
    return found


def repeated(found: dict[tuple[str, ...], Layer]) -> tuple[str, ...]:
    """The layers that stand on more than one pile, by the bytes that this costs."""
    piles: dict[str, list[Layer]] = {}
    for layer in found.values():
        piles.setdefault(layer.diff_id, []).append(layer)
    rows = [((len(pile) - 1) * pile[0].unpacked, pile) for pile in piles.values() if len(pile) > 1]
    return tuple(f"{cost} bytes  {_what(pile[0])}, unpacked {len(pile)} times"
                 for cost, pile in sorted(rows, key=lambda row: -row[0])[:_LARGEST_FILES] if cost)


def _what(layer: Layer) -> str:
    largest = max(layer.entries, key=lambda entry: entry.size, default=None)
    return f"the layer of {largest.path} ({megabytes(layer.unpacked)})" if largest else layer.diff_id[:19]


def _evidence(session: Session) -> Evidence:
    return Evidence(session.ours.clone, session.ours.images, session.layout(session.ours))
