"""Claims about bytes: of the set, of the light stages, of our code, and the budget of each image."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from cp_whisperx.errors import ArtifactInvalid
from cp_whisperx.images import attribution, layout
from cp_whisperx.images.evidence import Evidence, Finding, megabytes
from cp_whisperx.images.layout import Layer

BUDGETS = "docker/budgets.toml"
HEADROOM = 1.02
PACKAGES = "packages"
_LARGEST = 10
_BARE = re.compile(r"[\w-]+")
_NAMED = 100_000
"""Bytes: of smaller packages nothing is agreed."""
_LIGHT = frozenset({"base", "web"})
_OWN = frozenset({"core", "stages"})


def set_unpacked(evidence: Evidence) -> Finding:
    layers = _unique(evidence)
    return sum(layer.unpacked for layer in layers), explained(layers)


def set_compressed(evidence: Evidence) -> Finding:
    """As the engine stores it: what is pushed under another compression is another size."""
    layers = _unique(evidence)
    rows = sorted(((layer.compressed, name) for name, layer in evidence.by_layer.values()), reverse=True)
    return sum(layer.compressed for layer in layers), tuple(f"{megabytes(size)}  layer {name}" for size, name in rows)


def light_stage(evidence: Evidence) -> Finding:
    """The largest image of those without media, arrays or models: a target names tmdb and subtitle-gen."""
    light = [stored for image, stored in evidence.stored.items() if set(image.layers) <= _LIGHT]
    largest = max(light, key=lambda stored: stored.unpacked, default=None)
    return (largest.unpacked, explained(largest.layers)) if largest else (0, ("no light stage among the images",))


def own_layer(evidence: Evidence) -> Finding:
    """Our own code in the light image that has most of it: what all images share, and the stages."""
    own = [tuple(layer for name, layer in evidence.layers(image) if name in _OWN)
           for image in evidence.images if set(image.layers) <= _LIGHT]
    largest = max(own, key=lambda layers: sum(layer.unpacked for layer in layers), default=())
    return (sum(layer.unpacked for layer in largest), explained(largest)) if largest else (
        0, ("no layer is known as ours",))


def budgets(evidence: Evidence) -> Finding:
    """Bytes over the budget, image by image; a line says which packages grew since it was agreed.

    Where the file does not say what packages had, the largest are named.
    """
    allowed = _read(evidence)
    over, found = 0, []
    for target, (figures, layers) in _measured(evidence).items():
        for name, figure in figures.items():
            limit = allowed.get(target, {}).get(name)
            if limit is None:
                found.append(f"{target}: no budget for {name} in {BUDGETS}; it has {figure} bytes")
                over += figure
            elif figure > limit:
                over += figure - limit
                grown = growth(layers, allowed.get(f"{PACKAGES}-{target.rpartition('-')[2]}", {}))
                found += [f"{target}: {name} is {figure} bytes, {figure - limit} over its budget; "
                          + ("since it was agreed grew:" if grown else "its largest are:"),
                          *(f"  {line}" for line in grown or explained(layers))]
    return over, tuple(found)


def growth(layers: Iterable[Layer], agreed: Mapping[str, int]) -> tuple[str, ...]:
    """The packages that have more bytes than was agreed, and those that were not there, by how much; at most ten.

    A package is the same under another version. Without an agreement there is no growth.
    """
    if not agreed:
        return ()
    more = Counter({name: size - agreed.get(name, 0) for name, size in _by_name(layers).items()
                    if size >= agreed.get(name, _NAMED)})
    return tuple(f"+{size} bytes  {name} ({agreed[name]} before)" if name in agreed else f"+{size} bytes  {name} (new)"
                 for name, size in more.most_common(_LARGEST) if size > 0)


def today(evidence: Evidence) -> str:
    """The text of budgets.toml for the images as they are: their sizes and 2 % of headroom, and what packages have.

    Tables of images that are not among them stay.
    """
    tables = _read(evidence) if (evidence.clone / BUDGETS).is_file() else {}
    for target, (figures, layers) in _measured(evidence).items():
        tables[target] = {name: int(figure * HEADROOM) for name, figure in figures.items()}
        kind, _, variant = target.rpartition("-")
        if kind == "set":
            tables[f"{PACKAGES}-{variant}"] = {name: size for name, size in sorted(_by_name(layers).items())
                                               if size >= _NAMED}
    text = ("# Bytes that an image, and the set with each layer once, may have: what they had when this was last\n"
            "# agreed, and 2 %. A change that needs more says so here, beside its reason in the commit:\n"
            "# `cp-whisperx images check --agree`. Packages have what they had then, so that one that grew is named.\n")
    for target, rows in sorted(tables.items(), key=lambda row: row[0].startswith(PACKAGES)):
        text += f"\n[{target}]\n"
        text += "".join(f"{name if _BARE.fullmatch(name) else json.dumps(name)} = {value}\n"
                        for name, value in rows.items())
    return text


def _by_name(layers: Iterable[Layer]) -> Counter[str]:
    """Bytes by package, without versions."""
    found: Counter[str] = Counter()
    for name, size in attribution.packages(layers).items():
        found[name.partition(" ")[0]] += size
    return found


def explained(layers: Iterable[Layer]) -> tuple[str, ...]:
    """The ten largest packages, then the ten largest files, with their bytes."""
    layers = tuple(layers)
    return tuple(f"{size} bytes  {name}" for rows in (attribution.packages(layers), attribution.files(layers))
                 for name, size in Counter(rows).most_common(_LARGEST))


def _measured(evidence: Evidence) -> dict[str, tuple[dict[str, int], tuple[Layer, ...]]]:
    groups = {image.target: stored.layers for image, stored in evidence.stored.items()}
    for variant in sorted({image.variant for image in evidence.images}):
        groups[f"set-{variant}"] = layout.unique(tuple(stored for image, stored in evidence.stored.items()
                                                       if image.variant == variant))
    return {name: ({"unpacked": sum(layer.unpacked for layer in layers),
                    "compressed": sum(layer.compressed for layer in layers)}, layers)
            for name, layers in groups.items()}


def _read(evidence: Evidence) -> dict[str, dict[str, int]]:
    """Raises ArtifactInvalid if the file is not tables of whole numbers."""
    loaded: dict[str, Any] = tomllib.loads(evidence.read(BUDGETS))
    for target, rows in loaded.items():
        if not isinstance(rows, dict) or not all(isinstance(value, int) for value in rows.values()):
            raise ArtifactInvalid(f"{BUDGETS}: {target} is not a table of bytes", hint="as in: unpacked = 56000000")
    return loaded


def _unique(evidence: Evidence) -> tuple[Layer, ...]:
    return layout.unique(tuple(evidence.stored.values()))
