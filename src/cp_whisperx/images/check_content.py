"""Claims about what is in the images: read file by file from their layers, no container is started."""

from __future__ import annotations

import importlib.util
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from cp_whisperx import __version__
from cp_whisperx.images import attribution, bases, debs, locks
from cp_whisperx.images.evidence import Evidence, Finding, faults, layer_names, megabytes
from cp_whisperx.images.layout import BILL, DEBS, Entry, StoredImage
from cp_whisperx.images.recipe import Image

_SHELLS = frozenset({"ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "rbash", "sh", "zsh"})
_MANAGERS = frozenset({"apk", "apt", "apt-get", "conda", "dnf", "dpkg", "pip", "pip3", "rpm", "uv", "uvx", "yum"})
_BUILDERS = frozenset({"ar", "as", "c++", "cargo", "cc", "clang", "cmake", "g++", "gcc", "gfortran", "ld", "make",
                       "ninja", "nvcc", "objdump", "pkg-config", "rustc", "strip", "wheel"})
_BUILDING_PACKAGES = frozenset({"build", "ensurepip", "pip", "setuptools", "uv", "wheel"})
_BUILDING_SUFFIXES = frozenset({".a", ".c", ".cpp", ".h", ".hpp", ".la", ".lib", ".o", ".pxd", ".pyi", ".pyx", ".whl"})
_MODELS = frozenset({".bin", ".ckpt", ".gguf", ".nemo", ".onnx", ".ort", ".pt", ".pth", ".safetensors", ".tflite"})
_MODEL_SIZE = 100_000
_DUPLICATE_SIZE = 64 * 1024
_MAGIC = importlib.util.MAGIC_NUMBER
_SECRET_NAMES = re.compile(r"\b\w*(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|CREDENTIALS?)\w*=\S", re.IGNORECASE)
_SECRET_VALUES = re.compile(r"\bhf_[A-Za-z0-9]{30,}|\bgh[pousr]_[A-Za-z0-9]{36,}|://[^/\s:@]+:[^/\s:@]+@")
_SECRET_FILES = frozenset({".env", ".git-credentials", ".netrc", "credentials", "id_ed25519", "id_rsa", "token"})
_OFFLINE = {"CP_WHISPERX_MODELS": "/models", "HF_HOME": "/models/hub", "HF_HUB_OFFLINE": "1",
            "TORCH_HOME": "/models/torch"}
_RIVALS = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "PYTORCH_TRANSFORMERS_CACHE", "TRANSFORMERS_CACHE")
"""Older names of the same folder: where two of them disagree, models are fetched twice or not found."""
_APT_STATE = ("etc/apt", "etc/dpkg", "usr/share/doc", "usr/share/man", "var/cache", "var/lib/apt", "var/lib/dpkg",
              "var/log")
_LABELS = tuple(f"org.opencontainers.image.{name}"
                for name in ("source", "revision", "version", "licenses", "base.name", "base.digest"))


def packages(evidence: Evidence) -> Finding:
    """/site of an image holds the packages of its layers' locks, at their versions, and no other."""
    found = []
    for image, stored in evidence.stored.items():
        wanted = {f"{pin.name} {pin.version}" for layer in image.layers
                  for pin in locks.read(evidence.clone, layer) if pin.wanted}
        held = _installed(stored)
        found += [f"{image.target} lacks {one}" for one in sorted(wanted - held)]
        found += [f"{image.target} holds {one}, which none of its locks has" for one in sorted(held - wanted)]
    return faults(found)


def bill(evidence: Evidence) -> Finding:
    """The bill of materials names every package that is there and no other, and every file of /site is of one."""
    found = []
    for image, stored in evidence.stored.items():
        texts = {entry.path: entry.text for entry in stored.entries if entry.path in (DEBS, BILL)}
        if not (text := texts.get(BILL)):
            found.append(f"{image.target} has no {BILL}")
            continue
        named = {(one["purl"].split(":")[1].split("/")[0], f"{one['name']} {one['version']}")
                 for one in json.loads(text)["components"]}
        there = {("pypi", one) for one in _installed(stored)} | {
            ("deb", f"{deb.name} {deb.version}") for deb in debs.parse(texts.get(DEBS, ""), DEBS)}
        found += [f"{image.target}: the bill lacks {name}" for _, name in sorted(there - named)]
        found += [f"{image.target}: the bill names {name}, which is not there" for _, name in sorted(named - there)]
    return faults(found + [f"{name}: {path} is of no package" for name, layer in evidence.by_layer.values()
                           for path in attribution.unowned(layer)])


def _installed(stored: StoredImage) -> set[str]:
    """`name version` of every Python package, by its folder of metadata."""
    held = set()
    for path in _folders(stored.entries):
        if path.parts[0] == "site" and len(path.parts) == 2 and path.suffix == ".dist-info":
            name, _, version = path.stem.partition("-")
            held.add(f"{locks.normal(name)} {version}")
    return held


def no_builders(evidence: Evidence) -> Finding:
    def reason(entry: Entry) -> str:
        path = PurePosixPath(entry.path)
        if "bin" in path.parts[:-1] and path.name in _BUILDERS:
            return "a tool that builds"
        if path.parts[0] in ("site", "usr") and not _BUILDING_PACKAGES.isdisjoint(_top(path)):
            return "a package that builds packages"
        if path.suffix in _BUILDING_SUFFIXES and entry.kind == "file":
            return "for building only"
        return "tests" if entry.kind == "file" and {"test", "tests"} & set(path.parts[:-1]) else ""

    return _refused(evidence, reason)


def bytecode(evidence: Evidence) -> Finding:
    """Every module is compiled, for this Python, and Python does not look at the source's time or hash again.

    A compiled file stands in the place of its source (as `compileall -b` puts it) or in __pycache__ beside it.
    """
    found = []
    for name, layer in evidence.by_layer.values():
        compiled = {entry.path: entry.head for entry in layer.entries if entry.path.endswith(".pyc")}
        found += [f"{name}: {path} is compiled for another Python or checked against its source"
                  for path, head in compiled.items() if head[:4] != _MAGIC or head[4] & 0b11 != 0b01]
        beside = {path for path in compiled if PurePosixPath(path).parent.name == "__pycache__"}
        for entry in layer.entries:
            path = PurePosixPath(entry.path)
            if path.suffix == ".py":
                place = f"{path.parent}/__pycache__/{path.stem}.cpython-311.pyc"
                if entry.kind != "link" and place not in compiled:
                    found.append(f"{name}: {path} is not compiled: each start of a container does it anew")
                beside.discard(place)
        found += [f"{name}: {path} has no source" for path in sorted(beside)]
    return faults(found)


def stripped(evidence: Evidence) -> Finding:
    """Libraries under *.libs may keep a symbol table: make-layer strips those that the loader accepts then."""
    return faults([f"{name}: {entry.path} has a symbol table of {entry.symbols} bytes"
                   for name, entry in _entries(evidence)
                   if entry.symbols and not PurePosixPath(entry.path).parent.name.endswith(".libs")])


def no_models(evidence: Evidence) -> Finding:
    return _refused(evidence, lambda entry: "a model" if entry.size > _MODEL_SIZE and
                    PurePosixPath(entry.path).suffix in _MODELS else "")


def no_secrets(evidence: Evidence) -> Finding:
    found = []
    for image, stored in evidence.stored.items():
        said = [*_environment(stored), *(f"{key}={value}" for key, value in _labels(stored).items()),
                *(step.get("created_by", "") for step in stored.config.get("history", ()))]
        found += [f"{image.target}: its environment, labels or history give away {text.split('=')[0][:60]}"
                  for text in said if _SECRET_NAMES.search(text) or _SECRET_VALUES.search(text)]
    found += [f"{name}: {entry.path} looks like a secret" for name, entry in _entries(evidence)
              if entry.secret or (entry.kind == "file" and PurePosixPath(entry.path).name in _SECRET_FILES)]
    return faults(found)


def offline(evidence: Evidence) -> Finding:
    found = []
    for image, stored in evidence.stored.items():
        given = dict(row.split("=", 1) for row in _environment(stored))
        found += [f"{image.target}: {key} is {given.get(key)}, not {value}" for key, value in _OFFLINE.items()
                  if given.get(key) != value]
        found += [f"{image.target}: {key} is set beside HF_HOME" for key in _RIVALS if key in given]
    return faults(found)


def no_apt_state(evidence: Evidence) -> Finding:
    return _refused(evidence, lambda entry: "state of a package manager" if f"{entry.path}/".startswith(
        tuple(f"{place}/" for place in _APT_STATE)) else "")


def licences(evidence: Evidence) -> Finding:
    """What packages.txt names is what is in the images, each with its licence."""
    wanted = {f"licenses/{name}" for name in debs.wanted(evidence.clone)}
    found = []
    for image, stored in evidence.stored.items():
        held = {entry.path for entry in stored.entries if entry.path.startswith("licenses/")
                and entry.path not in (DEBS, BILL) and entry.kind != "folder"}
        found += [f"{image.target}: {name} is missing" for name in sorted(wanted - held)]
        found += [f"{image.target}: {name} is of no package in {debs.PACKAGES}" for name in sorted(held - wanted)]
    return faults(found)


def debs_as_locked(evidence: Evidence) -> Finding:
    """The Debian packages that an image says it is made of are those of debs.lock, to the byte."""
    locked = set(debs.read(evidence.clone))
    found = []
    for image, stored in evidence.stored.items():
        text = next((entry.text for entry in stored.entries if entry.path == DEBS), "")
        held = set(debs.parse(text, DEBS))
        found += [f"{image.target}: lacks {one.name} {one.version}" for one in sorted(locked - held)]
        found += [f"{image.target}: {one.name} {one.version} is not as locked" for one in sorted(held - locked)]
    return faults(found)


def distroless(evidence: Evidence) -> Finding:
    def reason(entry: Entry) -> str:
        path = PurePosixPath(entry.path)
        if "bin" in path.parts[:-1] and path.name in _SHELLS:
            return "a shell"
        if "bin" in path.parts[:-1] and path.name in _MANAGERS:
            return "a package manager"
        if entry.kind in ("file", "folder") and entry.mode & 0o6000:
            return "runs with another's rights (setuid, setgid)"
        if entry.kind in ("file", "folder") and entry.mode & 0o002 and entry.path != "tmp":
            return "anyone may write it"
        return ""

    return _refused(evidence, reason)


def whited_out(evidence: Evidence) -> Finding:
    """Bytes that a later layer hides: they are pulled and stored, and no container sees them."""
    hidden = 0
    found = []
    for image in evidence.images:
        sizes: dict[str, int] = {}
        for name, layer in evidence.layers(image):
            for entry in layer.entries:
                if entry.is_whiteout:
                    found.append(f"{image.target}: the layer {name} removes {entry.path}")
                    removed = str(PurePosixPath(entry.path).with_name(PurePosixPath(entry.path).name[4:]))
                    hidden += sum(size for path, size in sizes.items() if f"{path}/".startswith(f"{removed}/"))
                elif entry.size and entry.path in sizes:
                    found.append(f"{image.target}: the layer {name} replaces {entry.path}")
                    hidden += sizes[entry.path]
            sizes |= {entry.path: entry.size for entry in layer.entries if entry.kind == "file"}
    return max(hidden, len(found)), tuple(found)


def duplicates(evidence: Evidence) -> Finding:
    """Bytes of contents over 64 kB that the set holds more than once."""
    places: dict[str, list[str]] = defaultdict(list)
    sizes = {}
    for name, entry in _entries(evidence):
        if entry.size > _DUPLICATE_SIZE:
            places[entry.digest].append(f"{name}:{entry.path}")
            sizes[entry.digest] = entry.size
    twice = {digest: names for digest, names in places.items() if len(names) > 1}
    return (sum(sizes[digest] * (len(names) - 1) for digest, names in twice.items()),
            tuple(f"{megabytes(sizes[digest])} in {' and '.join(names)}" for digest, names in twice.items()))


def order(evidence: Evidence) -> Finding:
    """Root first, our code last, and a layer of one name is the same layer, to the bit, in every image."""
    found = []
    first: dict[str, tuple[str, Image]] = {}
    for image, stored in evidence.stored.items():
        names = layer_names(image)
        if len(stored.layers) != len(names):
            found.append(f"{image.target} has {len(stored.layers)} layers; its plan has {len(names)}: "
                         f"{' '.join(names)}")
            continue
        for name, layer in zip(names, stored.layers, strict=True):
            content, other = first.setdefault(name, (layer.diff_id, image))
            if content != layer.diff_id:
                found.append(f"{image.target}: the layer {name} is not the one of {other.target}: nothing is shared")
    return faults(found)


def contract(evidence: Evidence) -> Finding:
    """A numeric user of group 0 who is not root, an entrypoint without a shell, SIGTERM, no health check."""
    found = []
    for image, stored in evidence.stored.items():
        config = stored.config.get("config", {})
        entry = ["/usr/bin/python3.11", "-m", "cp_whisperx.stages", image.stage]
        if not re.fullmatch(r"[1-9]\d*:0", user := str(config.get("User", ""))):
            found.append(f"{image.target}: its user is {user or 'root'}, not a number with group 0")
        if config.get("Entrypoint") != entry:
            found.append(f"{image.target}: its entrypoint is {config.get('Entrypoint')}, not {entry}")
        if config.get("StopSignal") != "SIGTERM":
            found.append(f"{image.target}: it is stopped by {config.get('StopSignal')}")
        if config.get("Healthcheck"):
            found.append(f"{image.target}: it has a health check, and a stage ends by itself")
    return faults(found)


def labels(evidence: Evidence) -> Finding:
    pinned = bases.read(evidence.clone)[0]
    known = {"org.opencontainers.image.base.digest": pinned.digest, "org.opencontainers.image.version": __version__}
    found = []
    for image, stored in evidence.stored.items():
        held = _labels(stored)
        found += [f"{image.target}: the label {name} is missing" for name in _LABELS if not held.get(name)]
        found += [f"{image.target}: the label {name} is {held[name]}, not {value}" for name, value in known.items()
                  if held.get(name, value) != value]
    return faults(found)


def _entries(evidence: Evidence) -> Iterator[tuple[str, Entry]]:
    """What the set holds, each layer once, with the layer's name."""
    return ((name, entry) for name, layer in evidence.by_layer.values() for entry in layer.entries)


def _refused(evidence: Evidence, reason: Callable[[Entry], str]) -> Finding:
    return faults([f"{name}: {entry.path}: {why}" for name, entry in _entries(evidence)
                   if not entry.is_whiteout and (why := reason(entry))])


def _folders(entries: Iterable[Entry]) -> set[PurePosixPath]:
    return {parent for entry in entries for parent in PurePosixPath(entry.path).parents if parent.parts}


def _top(path: PurePosixPath) -> set[str]:
    """Names under which a package would lie: in /site, or among Python's own."""
    return {part for folder, part in zip(path.parts, path.parts[1:], strict=False)
            if folder in ("site", "site-packages", "dist-packages", "python3.11")}


def _environment(stored: StoredImage) -> list[str]:
    return stored.config.get("config", {}).get("Env") or []


def _labels(stored: StoredImage) -> dict[str, str]:
    return stored.config.get("config", {}).get("Labels") or {}
