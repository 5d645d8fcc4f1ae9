"""Builds images: one call of bake, in which BuildKit makes each shared stage once and the rest side by side."""

from __future__ import annotations

import json
import os
import shutil
import string
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cp_whisperx import __version__
from cp_whisperx import log as logs
from cp_whisperx.errors import ConfigError, RunnerError
from cp_whisperx.images import clones, naming, recipe, turn, unchanged
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.recipe import Image

_log = logs.get("images")

_FULL = "no space left on device"
_FULL_BYTES = 20e6
_SCHEDULER_FAULT = "inconsistent graph state"
"""BuildKit's words for a race in its scheduler that two builds at once can meet; not ours to mend."""

_CA_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True)
class BuildPlan:
    """What is built, and with what. `base` replaces the pinned upstream base; `cache` is a registry reference.

    `debs` is a folder of kept Debian packages; with `locked` a build fails that finds a locked one nowhere.
    """

    clone: Path
    images: tuple[Image, ...]
    registry: str = ""
    push: bool = False
    base: str = ""
    cache: str = ""
    cache_to: bool = False
    debug: bool = False
    no_cache: bool = False
    ca: Path | None = None
    debs: Path | None = None
    locked: bool = False

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(image.target + ("-debug" if self.debug else "") for image in self.images)

    def references(self) -> tuple[str, ...]:
        return tuple(image.reference(self.registry, "-debug" if self.debug else "") for image in self.images)

    def names(self) -> tuple[tuple[str, ...], ...]:
        """All names of each image; in a registry the last is of this commit alone.

        What stays here has one: an engine would keep the images of every commit that was ever built.
        """
        if self.debug or not self.push:
            return tuple((reference,) for reference in self.references())
        said = self.environment()
        return tuple(tuple(image.reference(self.registry, string.Template(suffix).substitute(said))
                           for suffix in recipe.TAGS) for image in self.images)

    def arguments(self, *, containerd: bool, metadata: Path | None = None) -> tuple[str, ...]:
        """Arguments of `docker`: a build that names and pushes what it has made.

        With `metadata` it does neither, and writes the ids of what it has made to that file.
        """
        common = ["buildx", "bake", "--file", "docker/docker-bake.hcl", "--provenance=false", "--sbom=false"]
        if self.base:
            common += ["--set", f"*.contexts.base=docker-image://{self.base}"]
        if self.ca:
            common += ["--set", f"*.secrets=id=ca,src={self.ca}"]
        if self.debs and self.debs.is_dir():
            common += ["--set", f"*.contexts.debs={self.debs.absolute()}"]
        if self.locked:
            common += ["--set", "*.args.LOCKED=1"]
        if self.no_cache:
            common += ["--no-cache"]
        for image, target in zip(self.images, self.targets, strict=True):
            common += self._cache_arguments(image, target)
        if metadata:
            common += ["--set", "*.tags=", "--metadata-file", str(metadata)]
        return (*common, *self._output(containerd=containerd, push=self.push and not metadata), *self.targets)

    def _cache_arguments(self, image: Image, target: str) -> list[str]:
        """One reference per target, or matrix jobs overwrite each other's.

        Every stage of the build is exported (mode=max) for the image with the most layers, so that the shared
        ones are in one cache; the others export their own layers alone.
        """
        if not self.cache:
            return []
        fullest = max(self.images, key=lambda one: len(one.layers))
        sources = {f"{self.cache}:{target}": None, f"{self.cache}:{fullest.target}": None}
        arguments = [part for source in sources
                     for part in ("--set", f"{target}.cache-from=type=registry,ref={source}")]
        if self.cache_to:
            mode = "max" if image == fullest else "min"
            arguments += ["--set", f"{target}.cache-to=type=registry,ref={self.cache}:{target},mode={mode}"]
        return arguments

    def _output(self, *, containerd: bool, push: bool) -> list[str]:
        if not containerd:
            return ["--push"] if push else ["--load"]
        return ["--set", f"*.output=type=image{',push=true' if push else ''}"]

    def environment(self) -> dict[str, str]:
        registry = f"{self.registry.rstrip('/')}/" if self.registry else ""
        return {"REGISTRY": registry, "VERSION": __version__, "REVISION": revision(self.clone),
                "SOURCE_DATE_EPOCH": clones.git(self.clone, "log", "-1", "--format=%ct") or "0",
                "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}


def build(plan: BuildPlan, engine: Engine) -> tuple[str, ...]:
    """Builds, and returns the references of the images.

    Their names move when all are built, in the registry when all are there: what breaks before, or ends this
    process, leaves every name as it was. One build at a time on one engine; another waits.

    Raises RunnerError if a build or a push fails, ConfigError if generated files are stale or no registry is named.
    """
    if stale := recipe.stale(plan.clone):
        raise ConfigError(f"{', '.join(stale)}: not as the table of stages has it",
                          hint="run: cp-whisperx images generate")
    if plan.push and not plan.registry:
        raise ConfigError("there is no registry to push to", hint="name it: --registry example.org/acme")
    with turn.taken(engine) as lock:
        if unchanged.are(plan, engine, taken := unchanged.inputs(plan, engine)):
            _log.info(f"nothing has changed since these {len(plan.targets)} images were built")
            return plan.references()
        engine.require_room()
        _log.info(f"building {len(plan.targets)} images with {engine.label}")
        names, ids = plan.names(), _make(plan, engine, lock)
        images = {name: image for row, image in zip(names, ids, strict=True) for name in row}
        naming.move(engine, images, lock)
        # Only now: a file that was changed while the images were made is not in all of them.
        if unchanged.inputs(plan, engine) == taken:
            unchanged.keep(plan, engine, taken, images)
        if plan.push:
            naming.push(engine, names, ids)
    return plan.references()


def _make(plan: BuildPlan, engine: Engine, lock: int) -> tuple[str, ...]:
    """Builds images that have no name yet; returns their ids."""
    with tempfile.TemporaryDirectory(prefix="cp-whisperx-build-") as work:
        metadata = Path(work) / "metadata.json"
        arguments = plan.arguments(containerd=engine.containerd, metadata=metadata)
        environment = plan.environment()
        try:
            try:
                engine.run(*arguments, environment=environment, cwd=plan.clone, keep=(lock,))
            except RunnerError as error:
                if _SCHEDULER_FAULT not in error.log:
                    raise
                _log.warning("BuildKit lost track of its own steps, as it does now and then: building once more")
                engine.run(*arguments, environment=environment, cwd=plan.clone, keep=(lock,))
            made = json.loads(metadata.read_text(encoding="utf-8"))
            return tuple(str(made[target]["containerimage.digest"]) for target in plan.targets)
        except RunnerError as error:
            raise _told(error, engine) from None
        except (OSError, ValueError, KeyError) as error:
            raise RunnerError(f"the builder ended without a word on what it made ({error})",
                              hint="no name has moved; update buildx if this comes again") from None


def _told(error: RunnerError, engine: Engine) -> RunnerError:
    """What a terminal shows is not read, but a disk that is full tells."""
    full = engine.storage.is_dir() and shutil.disk_usage(engine.storage).free < _FULL_BYTES
    if full or _FULL in error.log:
        return RunnerError("the engine's disk is full, and no name of an image has moved", log=error.log,
                           hint="make room (docker system prune, docker builder prune) and build again: finished "
                                "steps are kept")
    return RunnerError(error.message, log=error.log, hint=f"{error.hint}; no name of an image has moved")


def forget(plan: BuildPlan, engine: Engine) -> None:
    """Takes away the names that a registry name used for a test has in the engine; what others named stays."""
    try:
        names = engine.ask("images", "--format", "{{.Repository}}:{{.Tag}}", "--filter",
                           f"reference={plan.registry}/*")
        if names:
            engine.ask("image", "rm", *names.split())
    except RunnerError as error:
        _log.warning(f"images named {plan.registry}/… are left: {error.message}")


def own_certificates() -> Path | None:
    """The bundle that this machine's tools are told to trust, if that is said: builds need it too."""
    for name in _CA_BUNDLES:
        if (value := os.environ.get(name)) and Path(value).is_file():
            return Path(value)
    return None


def revision(clone: Path) -> str:
    """The commit, with `-dirty` if what is built is not what was committed."""
    commit = clones.git(clone, "rev-parse", "--short=12", "HEAD")
    changed: Sequence[str] = ("status", "--porcelain", "--", "src", "requirements", "docker")
    return commit + ("-dirty" if commit and clones.git(clone, *changed) else "") if commit else "unknown"
