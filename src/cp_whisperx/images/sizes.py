"""Claims about bytes: of the set, of the light stages, of our code, and the budget of each image."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable
from typing import Any

from cp_whisperx.errors import ArtifactInvalid
from cp_whisperx.images import attribution, layout
from cp_whisperx.images.evidence import Evidence, Finding, megabytes
from cp_whisperx.images.layout import Layer

BUDGETS = "docker/budgets.toml"
HEADROOM = 1.02
_LARGEST = 10
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
    """Bytes over the budget, image by image; a line says which packages an image over it is made of."""
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
                found += [f"{target}: {name} is {figure} bytes, {figure - limit} over its budget; its largest are:",
                          *(f"  {line}" for line in explained(layers))]
    return over, tuple(found)


def today(evidence: Evidence) -> str:
    """The text of budgets.toml for the images as they are: their sizes and 2 % of headroom."""
    text = ("# Bytes that an image, and the set with each layer once, may have: what they had when this was last\n"
            "# agreed, and 2 %. A change that needs more says so here, beside its reason in the commit.\n")
    for target, (figures, _) in _measured(evidence).items():
        text += f"\n[{target}]\n"
        text += "".join(f"{name} = {int(figure * HEADROOM)}\n" for name, figure in figures.items())
    return text


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
