"""Every claim about the images beside the function that would find it broken: a table, and the command's answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cp_whisperx.images import check_content as content
from cp_whisperx.images import check_recipe as recipe
from cp_whisperx.images import sizes
from cp_whisperx.images.evidence import Check, Evidence, Measure
from cp_whisperx.images.layout import Layout
from cp_whisperx.images.recipe import Image, Variant

__all__ = ["CONTENT", "RECIPE", "Check", "Claim", "checks"]

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Claim:
    """`limit` is the highest figure that meets it, in `unit`. A claim on a `variant` is left out without its images."""

    id: str
    claim: str
    measure: Measure
    limit: int = 0
    unit: Literal["faults", "bytes"] = "faults"
    variant: Variant | None = None


RECIPE = (
    Claim("1", "the context holds exactly what the Dockerfile takes", recipe.context_exact),
    Claim("I7", "the context is small", recipe.context_size, 2 * MB, "bytes"),
    Claim("2", "cache mounts keep what they are mounted for", recipe.cache_mounts),
    Claim("3", "every image from outside is pinned by digest, as bases.lock has it", recipe.pins),
    Claim("4", "one command builds all: generated files are fresh, one bake file has every image", recipe.generated),
    Claim("5a", "one hash-pinned lock per layer, no package in two, no torch", recipe.locks_split),
    Claim("8a", "Debian packages: one list, sorted, nothing recommended", recipe.apt_list),
    Claim("9", "the registry's cache: each target under its own name, one with every step", recipe.cache_export),
    Claim("10b", "a shell is in the -debug images alone, and each image has one", recipe.debug_targets),
)
"""What the clone alone shows."""

CONTENT = (
    Claim("5b", "an image holds the packages of its layers' locks and no other", content.packages),
    Claim("6a", "no compiler, installer, wheel, header, static library or test", content.no_builders),
    Claim("6b", "every module is compiled and never checked again", content.bytecode),
    Claim("6c", "symbols are stripped wherever that is safe", content.stripped),
    Claim("7a", "no model is in an image", content.no_models),
    Claim("7b", "no token or key in environment, labels, history or files", content.no_secrets),
    Claim("7c", "models come from /models, and nothing is fetched", content.offline),
    Claim("8b", "no state of apt or dpkg", content.no_apt_state),
    Claim("8c", "Debian packages are those of debs.lock, by sha256", content.debs_as_locked),
    Claim("10a", "no shell, no package manager, no setuid file, nothing for anyone to write but /tmp",
          content.distroless),
    Claim("C1", "shared layers are the same in every image, in one order", content.order),
    Claim("C2", "numeric user with group 0, entrypoint without a shell, ends on SIGTERM", content.contract),
    Claim("C3", "labels say source, revision, version, licence and base", content.labels),
    Claim("C4", "every Debian package has its licence in the image", content.licences),
    Claim("C5", "a bill of materials names every package in the image, and every file is of one", content.bill),
    Claim("I1a", "the :cpu set, each layer once, unpacked", sizes.set_unpacked, 400 * MB, "bytes", "cpu"),
    Claim("I1b", "the :cpu set, each layer once, compressed", sizes.set_compressed, 125 * MB, "bytes", "cpu"),
    Claim("I2a", "the largest light stage, unpacked", sizes.light_stage, 60 * MB, "bytes", "cpu"),
    Claim("I2b", "our own code in a light stage", sizes.own_layer, 1 * MB, "bytes"),
    Claim("I3", "the :cuda set, each layer once, unpacked", sizes.set_unpacked, 1_300 * MB, "bytes", "cuda"),
    Claim("I11a", "bytes that a later layer hides", content.whited_out, 0, "bytes"),
    Claim("I11b", "bytes of contents over 64 kB that the set holds twice", content.duplicates, 0, "bytes"),
    Claim("B", "bytes over the budgets of docker/budgets.toml", sizes.budgets, 0, "bytes"),
)
"""What the built images show."""


def checks(clone: Path, layout: Layout | None, images: tuple[Image, ...]) -> tuple[Check, ...]:
    """Every claim on the clone and, if there is a layout, on the images in it, in the order of the tables.

    Raises ConfigError if the layout lacks one of `images`, ArtifactInvalid for a lock or budget that cannot be read.
    """
    rows = (*RECIPE, *(CONTENT if layout else ()))
    return tuple(one for row in rows for one in _checked(row, clone, layout, images))


def _checked(row: Claim, clone: Path, layout: Layout | None, images: tuple[Image, ...]) -> tuple[Check, ...]:
    concerned = tuple(image for image in images if row.variant in (None, image.variant))
    if not concerned:
        return ()
    figure, detail = row.measure(Evidence(clone, concerned, layout))
    return (Check(row.id, row.claim, figure, row.limit, figure <= row.limit, detail, row.unit),)
