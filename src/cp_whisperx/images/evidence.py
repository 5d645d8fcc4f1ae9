"""What the checks of the images look at, and what they answer with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cp_whisperx.errors import ConfigError
from cp_whisperx.images import dockerfile
from cp_whisperx.images.dockerfile import Instruction
from cp_whisperx.images.layout import Layer, Layout, StoredImage
from cp_whisperx.images.recipe import Image


@dataclass(frozen=True, slots=True)
class Check:
    """A claim and what was found: `figure` is met if it is not above `limit`.

    `unit` is `bytes` or `faults`. `detail` has one line per fault; of a size, what it is made of.
    """

    id: str
    claim: str
    figure: int
    limit: int
    met: bool
    detail: tuple[str, ...]
    unit: str = "faults"

    def __str__(self) -> str:
        if self.unit == "faults":
            return f"{self.figure} faults" if self.figure != 1 else "1 fault"
        return f"{megabytes(self.figure)} of {megabytes(self.limit)}"


@dataclass(frozen=True)
class Evidence:
    """The clone that the images were built from, the images by their plan, and as they are stored."""

    clone: Path
    images: tuple[Image, ...]
    layout: Layout | None

    @cached_property
    def instructions(self) -> tuple[Instruction, ...]:
        return dockerfile.parse(self.read("docker/Dockerfile"))

    def read(self, name: str) -> str:
        return (self.clone / name).read_text(encoding="utf-8")

    @cached_property
    def stored(self) -> dict[Image, StoredImage]:
        """Raises ConfigError for an image that the layout does not hold."""
        held = {one.name.rsplit("/", 1)[-1]: one for one in self.layout.images} if self.layout else {}
        if absent := [image.reference() for image in self.images if image.reference() not in held]:
            raise ConfigError(f"the layout does not hold {', '.join(absent)}", hint="run: cp-whisperx images build")
        return {image: held[image.reference()] for image in self.images}

    def layers(self, image: Image) -> Iterator[tuple[str, Layer]]:
        """The layers of an image with the names they have in the plan, or their numbers where it is not as planned."""
        layers, names = self.stored[image].layers, layer_names(image)
        return zip(names if len(names) == len(layers) else map(str, range(len(layers))), layers, strict=True)

    @cached_property
    def by_layer(self) -> dict[str, tuple[str, Layer]]:
        """Every distinct layer once, by its content's digest, with its name."""
        return {layer.diff_id: (name, layer) for image in self.images for name, layer in self.layers(image)}


Finding = tuple[int, tuple[str, ...]]
Measure = Callable[[Evidence], Finding]


def layer_names(image: Image) -> tuple[str, ...]:
    return ("root", *image.layers, f"sbom-{image.target}", "core", *(f"code-{part}" for part in image.code), "stages")


def faults(lines: list[str]) -> Finding:
    return len(lines), tuple(lines)


def megabytes(size: int) -> str:
    """Decimal, one digit; kB below 100 kB."""
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e3:,.1f} kB"
