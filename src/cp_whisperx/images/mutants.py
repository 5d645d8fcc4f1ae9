"""Each optimisation of the founding document undone: the ways in which somebody would undo it, as edits of a clone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cp_whisperx.errors import ConfigError
from cp_whisperx.images import bases

Change = Callable[[Path], None]

STAGE = "subtitle-gen"
"""Where it does not matter which image is built from a mutated clone: the smallest, of the same parts as others."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`change` undoes something in a copy of the clone, and the check `claim` must fail then.

    `built`: the check looks at images, so that the one of `stage` is built from the copy first.
    """

    what: str
    claim: str
    change: Change
    built: bool = False
    stage: str = STAGE


@dataclass(frozen=True, slots=True)
class Optimisation:
    """One item of the founding document, by its number there (8 to 10 are those of its third phase)."""

    number: int
    title: str
    mutants: tuple[Mutant, ...]


def edit(name: str, *changes: tuple[str, str]) -> Change:
    """Replaces the first occurrence of each text; an empty old text means: add at the end.

    Raises ConfigError if there is nothing to replace: a mutation that changes nothing would prove nothing.
    """
    def change(clone: Path) -> None:
        path = clone / name
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            if old not in text:
                raise ConfigError(f"a mutation no longer fits: {name} does not hold {old.strip()[:60]!r}",
                                  hint="bring cp_whisperx/images/mutants.py up to date")
            text = text.replace(old, new, 1) if old else text + new
        path.write_text(text, encoding="utf-8")
    return change


def remove(name: str) -> Change:
    return lambda clone: (clone / name).unlink()


def add(name: str, content: bytes) -> Change:
    def change(clone: Path) -> None:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_bytes(content)
    return change


def both(*changes: Change) -> Change:
    def change(clone: Path) -> None:
        for one in changes:
            one(clone)
    return change


DOCKERFILE = "docker/Dockerfile"
_IMAGE = f"FROM scratch AS {STAGE}-cpu\n"
_LAYER_END = "find . -type d -empty -delete\n"
_A_TOKEN = "hf_" + "x" * 34
"""Only looks like one."""


def _in_layer(command: str) -> Change:
    """Runs in the folder of each requirement layer when it is all but done; "$2" is that folder."""
    return edit("docker/make-layer", (_LAYER_END, f"{command}\n{_LAYER_END}"))


def _in_code(command: str) -> Change:
    """Runs when our code is copied and not yet compiled; $app is its folder."""
    return edit("docker/make-code", ("# Compiled files alone", f"{command}\n# Compiled files alone"))


def _in_root(command: str) -> Change:
    return edit("docker/make-root", ("# Every library that is left", f"{command}\n# Every library that is left"))


def _in_image(instruction: str, *, last: bool = False) -> Change:
    """One more instruction in the image, before the others or after them."""
    def change(clone: Path) -> None:
        path = clone / DOCKERFILE
        head, begin, rest = path.read_text(encoding="utf-8").partition(_IMAGE)
        body, blank, others = rest.partition("\n\n")
        body = f"{body}\n{instruction}" if last else f"{instruction}\n{body}"
        path.write_text(head + begin + body + blank + others, encoding="utf-8")
    return change


def _merged(clone: Path) -> None:
    """One requirements file for all, as it was before."""
    names = ("media", "array", "onnx", "hub", "asr")
    text = "".join((clone / f"requirements/{name}.txt").read_text(encoding="utf-8") for name in ("base", *names))
    (clone / "requirements/base.txt").write_text(text, encoding="utf-8")


def _another_digest(clone: Path) -> None:
    path = clone / bases.LOCK
    text = path.read_text(encoding="utf-8")
    agreed = bases.read(clone)[0].digest
    path.write_text(text.replace(agreed, "sha256:" + "0" * 64), encoding="utf-8")


OPTIMISATIONS = (
    Optimisation(1, "build context: an allow-list", (
        Mutant("the ignore file is gone", "1", remove(".dockerignore")),
        Mutant("the documents are let in", "1", both(edit(".dockerignore", ("", "!docs\n")),
                                                     add("docs/notes.md", b"notes\n"))),
        Mutant("a recording of 5 MB lies in the source", "I7", add(
            "src/cp_whisperx/stages/take.wav", bytes(5_000_000))),
    )),
    Optimisation(2, "cache mounts that keep what they are mounted for", (
        Mutant("docker-clean is back", "2", edit(DOCKERFILE, ("    rm -f /etc/apt/apt.conf.d/docker-clean; \\\n", ""))),
        Mutant("apt's lists are deleted after the install", "2", edit(
            DOCKERFILE, ("ca-certificates python3-pip python3.11 > /dev/null\n",
                         "ca-certificates python3-pip python3.11 > /dev/null; \\\n    rm -rf /var/lib/apt/lists/*\n"))),
        Mutant("one cache has two ids", "2", edit(DOCKERFILE, ("id=cp-whisperx-uv,", "id=cp-whisperx-uv-base,"))),
        Mutant("two builds may write one cache at once", "2", edit(DOCKERFILE, (",sharing=locked", ""))),
    )),
    Optimisation(3, "bases pinned by digest", (
        Mutant("the base follows its tag", "3", edit(
            DOCKERFILE, ("FROM python:3.11-slim-bookworm@sha256:", "FROM python:3.11-slim-bookworm AS base\n# "))),
        Mutant("the base is not the one that was agreed", "3", _another_digest),
    )),
    Optimisation(4, "one BuildKit command builds the whole matrix", (
        Mutant("an image is left out of the bake file", "4", edit(
            "docker/docker-bake.hcl", (f'target "{STAGE}-cpu" {{', f'target "{STAGE}-old" {{'))),
        Mutant("there is a second bake file", "4", add("docker/bake-gpu.hcl", b'target "asr-cuda" {}\n')),
        Mutant("the Dockerfile is edited where it is generated", "4", edit(
            DOCKERFILE, ("STOPSIGNAL SIGTERM\n", "STOPSIGNAL SIGKILL\n"))),
    )),
    Optimisation(5, "requirements split by layer, locked by hash", (
        Mutant("one requirements file for all", "5a", _merged),
        Mutant("a lock without hashes", "5a", edit("requirements/base.txt", (" --hash=sha256:", " # "))),
        Mutant("torch comes in", "5a", edit("requirements/asr.txt", (
            "", "torch==2.8.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"))),
        Mutant("a package that no lock has is installed", "5b", _in_layer(
            "mkdir -p extra-1.0.dist-info; printf 'Name: extra\nVersion: 1.0\nLicense: MIT\n' > "
            "extra-1.0.dist-info/METADATA"), built=True),
    )),
    Optimisation(6, "wheels stay with the builder: no compiler, no installer, stripped, compiled", (
        Mutant("the wheelhouse is copied", "6a", _in_layer(
            '/usr/bin/python3.11 -m zipfile -c wheelhouse-1.0-py3-none-any.whl ./*'), built=True),
        Mutant("the linker comes along", "6a", _in_layer('mkdir -p bin; cp /usr/bin/ld bin/ld'), built=True),
        Mutant("Python looks at every source again", "6b", edit(
            "docker/make-code", ("checked=False", "checked=True")), built=True),
        Mutant("symbols stay", "6c", edit("docker/make-layer", (
            'strip --strip-unneeded -o /tmp/stripped "$library"', 'cp "$library" /tmp/stripped')),
               built=True, stage="silero-vad"),
    )),
    Optimisation(7, "one shared model store, no model and no token in an image", (
        Mutant("a model is baked in", "7a", _in_code('head -c 2000000 /dev/zero > "$app/model.onnx"'), built=True),
        Mutant("a token is in the environment", "7b", _in_image(f"ENV HF_TOKEN={_A_TOKEN}"), built=True),
        Mutant("a start may fetch models", "7c", _in_image("ENV HF_HUB_OFFLINE=0", last=True), built=True),
    )),
    Optimisation(8, "one list of Debian packages, nothing recommended, no state left", (
        Mutant("what packages recommend is installed", "8a", edit(
            "docker/make-root", ("--no-install-recommends ", ""))),
        Mutant("a stage has a list of its own", "8a", add("docker/packages-asr.txt", b"ffmpeg\n")),
        Mutant("a package is not the one that is locked", "8c", _in_root(
            "sed -i 's/^zlib1g .*/zlib1g 1.3 " + "0" * 64 + "/' licenses/debs"), built=True),
        Mutant("the state of dpkg stays", "8b", _in_root(
            "mkdir -p var/lib/dpkg; cp /var/lib/dpkg/status var/lib/dpkg/status"), built=True),
    )),
    Optimisation(9, "the registry's cache: read by all, written under own names", (
        Mutant("nothing is read from it", "9", edit(
            "src/cp_whisperx/images/build.py", ("cache-from=type=registry", "no-cache=type=registry"))),
        Mutant("all write under one name", "9", edit(
            "src/cp_whisperx/images/build.py", ("ref={self.cache}:{target},mode", "ref={self.cache}:all,mode"))),
        Mutant("every image writes every step", "9", edit(
            "src/cp_whisperx/images/build.py", ('if image == fullest else "min"', 'if image else "min"'))),
    )),
    Optimisation(10, "distroless: no shell, no package manager, no setuid file", (
        Mutant("a shell is added", "10a", _in_image("COPY --link --from=shell /shell/ /"), built=True),
        Mutant("the image starts from the base", "10a", edit(
            DOCKERFILE, (_IMAGE, f"FROM base AS {STAGE}-cpu\n")), built=True),
        Mutant("a file runs with its owner's rights", "10a", _in_root("chmod u+s usr/bin/python3.11"), built=True),
        Mutant("an image has no -debug beside it", "10b", edit(
            DOCKERFILE, (f"FROM {STAGE}-cpu AS {STAGE}-cpu-debug\n", f"FROM {STAGE}-cpu AS {STAGE}-cpu-shell\n"))),
    )),
)
